// Code that checks a signature, by the libraries of Standard Webhooks. WEBHOOK_SECRET is the endpoint's secret.
export const languages = ['Node', 'Python', 'Go', 'Rust', 'Java', 'Ruby', 'PHP', 'C#'] as const;
export type Language = (typeof languages)[number];

export const snippets: Record<Language, string> = {
  Node: `// npm install standardwebhooks express
import express from "express";
import { Webhook } from "standardwebhooks";

const hook = new Webhook(process.env.WEBHOOK_SECRET);
const app = express();

app.post("/webhooks", express.raw({ type: "*/*" }), (req, res) => {
  try {
    hook.verify(req.body, req.headers);
  } catch {
    return res.sendStatus(401);
  }
  handle(JSON.parse(req.body));
  res.sendStatus(204);
});`,
  Python: `# pip install standardwebhooks flask
import os
from flask import Flask, request
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

hook = Webhook(os.environ["WEBHOOK_SECRET"])
app = Flask(__name__)

@app.post("/webhooks")
def webhooks():
    try:
        event = hook.verify(request.get_data(), dict(request.headers))
    except WebhookVerificationError:
        return "", 401
    handle(event)
    return "", 204`,
  Go: `// go get github.com/standard-webhooks/standard-webhooks/libraries
hook, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET"))
if err != nil {
	log.Fatal(err)
}

http.HandleFunc("/webhooks", func(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || hook.Verify(body, r.Header) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	handle(body)
	w.WriteHeader(http.StatusNoContent)
})`,
  Rust: `// cargo add standardwebhooks axum
async fn webhooks(headers: HeaderMap, body: Bytes) -> StatusCode {
    let secret = std::env::var("WEBHOOK_SECRET").unwrap();
    let hook = standardwebhooks::Webhook::new(&secret).unwrap();
    if hook.verify(&body, &headers).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    handle(&body);
    StatusCode::NO_CONTENT
}`,
  Java: `// com.standardwebhooks:standardwebhooks
@PostMapping("/webhooks")
ResponseEntity<Void> webhooks(@RequestBody String body, @RequestHeader HttpHeaders headers) {
    var map = java.net.http.HttpHeaders.of(headers, (name, value) -> true);
    try {
        new Webhook(System.getenv("WEBHOOK_SECRET")).verify(body, map);
    } catch (WebhookVerificationException e) {
        return ResponseEntity.status(401).build();
    }
    handle(body);
    return ResponseEntity.noContent().build();
}`,
  Ruby: `# gem install standardwebhooks sinatra
require "sinatra"
require "standardwebhooks"

HOOK = StandardWebhooks::Webhook.new(ENV["WEBHOOK_SECRET"])

post "/webhooks" do
  names = %w[webhook-id webhook-timestamp webhook-signature]
  headers = names.to_h { |name| [name, request.env["HTTP_" + name.upcase.tr("-", "_")]] }
  begin
    handle HOOK.verify(request.body.read, headers)
  rescue StandardWebhooks::WebhookVerificationError
    halt 401
  end
  status 204
end`,
  PHP: `<?php // composer require standard-webhooks/standard-webhooks
$hook = new \\StandardWebhooks\\Webhook(getenv("WEBHOOK_SECRET"));
$body = file_get_contents("php://input");
$headers = array_change_key_case(getallheaders(), CASE_LOWER);

try {
    $event = $hook->verify($body, $headers);
} catch (\\StandardWebhooks\\Exception\\WebhookVerificationException $e) {
    http_response_code(401);
    exit;
}
handle($event);
http_response_code(204);`,
  'C#': `// dotnet add package StandardWebhooks
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
});`,
};
