// dotnet add package StandardWebhooks
app.MapPost("/webhooks", async (HttpRequest request) =>
{
    using var reader = new StreamReader(request.Body);
    var body = await reader.ReadToEndAsync();
    var headers = new WebHeaderCollection();
    foreach (var header in request.Headers) headers.Set(header.Key, header.Value);
    try
    {
        new StandardWebhook(Environment.GetEnvironmentVariable("WEBHOOK_SECRET")!).Verify(body, headers);
    }
    catch (WebhookVerificationException)
    {
        return Results.Unauthorized();
    }
    Handle(body);
    return Results.NoContent();
});
