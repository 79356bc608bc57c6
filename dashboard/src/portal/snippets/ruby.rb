# gem install standardwebhooks sinatra
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
end
