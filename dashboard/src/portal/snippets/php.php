<?php // composer require standard-webhooks/standard-webhooks
$hook = new \StandardWebhooks\Webhook(getenv("WEBHOOK_SECRET"));
$body = file_get_contents("php://input");
$headers = array_change_key_case(getallheaders(), CASE_LOWER);

try {
    $event = $hook->verify($body, $headers);
} catch (\StandardWebhooks\Exception\WebhookVerificationException $e) {
    http_response_code(401);
    exit;
}
handle($event);
http_response_code(204);
