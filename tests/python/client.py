"""A producer and a receiver in Python, both with the public libraries as they come.

The producer makes an application and an endpoint, posts a message and lists its attempts. The receiver is a plain HTTP
server that verifies with `standardwebhooks`.
"""

import http.server
import json
import os
import queue
import threading

from standardwebhooks import Webhook
from svix.api import (
    ApplicationIn,
    EndpointIn,
    EndpointSecretRotateIn,
    EventTypeIn,
    MessageIn,
    Svix,
    SvixOptions,
)
from svix.exceptions import HttpError

DEADLINE_SECONDS = 60
arrived = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        arrived.put((dict(self.headers.items()), body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"thanks")

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()

svix = Svix(os.environ["TOKEN"], SvixOptions(server_url=os.environ["SERVER_URL"]))

application = svix.application.create(ApplicationIn(name="From Python", uid="python"))
assert svix.application.get("python").id == application.id
assert [one.id for one in svix.application.list().data] == [application.id]

svix.event_type.create(EventTypeIn(name="invoice.paid", description="An invoice was paid."))
endpoint = svix.endpoint.create(
    application.id,
    EndpointIn(url=f"http://127.0.0.1:{server.server_port}/hook", filter_types=["invoice.paid"]),
)
secret = svix.endpoint.get_secret(application.id, endpoint.id).key

payload = {"invoice": "in_1", "total": 4200, "customer": "Zoë"}
message = svix.message.create(
    application.id,
    MessageIn(event_type="invoice.paid", event_id="python-1", payload=payload),
)

headers, body = arrived.get(timeout=DEADLINE_SECONDS)
verified = Webhook(secret).verify(body, headers)
assert verified == payload, verified
assert {name.lower(): value for name, value in headers.items()}["webhook-id"] == message.id
try:
    Webhook(secret).verify(body.replace(b"4200", b"4201"), headers)
except Exception as error:
    assert "signature" in str(error).lower(), error
else:
    raise AssertionError("a changed body verifies")

svix.endpoint.rotate_secret(application.id, endpoint.id, EndpointSecretRotateIn())
fresh = svix.endpoint.get_secret(application.id, endpoint.id).key
assert fresh != secret
second = svix.message.create(application.id, MessageIn(event_type="invoice.paid", payload={"n": 2}))
headers, body = arrived.get(timeout=DEADLINE_SECONDS)
assert Webhook(secret).verify(body, headers) == Webhook(fresh).verify(body, headers) == {"n": 2}

# An attempt is recorded right after the receiver's answer.
done = threading.Event()
for _ in range(DEADLINE_SECONDS * 20):
    attempts = svix.message_attempt.list_by_endpoint(application.id, endpoint.id).data
    if len(attempts) == 2:
        break
    done.wait(0.05)
assert {attempt.msg_id for attempt in attempts} == {message.id, second.id}, attempts
assert all(attempt.response_status_code == 200 for attempt in attempts), attempts
by_message = svix.message_attempt.list_by_msg(application.id, message.id).data
assert [attempt.msg_id for attempt in by_message] == [message.id]
assert svix.message.get(application.id, message.id).event_id == "python-1"
assert {one.id for one in svix.message.list(application.id).data} == {message.id, second.id}

try:
    svix.application.get("nobody")
except HttpError as error:
    assert error.status_code == 404 and error.code == "not_found", error
else:
    raise AssertionError("an application that is not there was found")

server.shutdown()
print(json.dumps({"delivered": 2}))
