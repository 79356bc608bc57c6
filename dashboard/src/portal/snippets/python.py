# pip install standardwebhooks flask
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
    return "", 204
