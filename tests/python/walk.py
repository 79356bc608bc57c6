"""Walks through every operation of the Python client library that Postrider serves, first with the library's blocking
half, then with its asynchronous one, and holds what comes back.

`tests/clients/operations.toml` says what is served. Each served operation has a step below; the steps run in the
order of this file, each on what the ones before it have left.
"""

import asyncio
import inspect
import json
import os
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import svix.api as library
from svix.api import Svix, SvixAsync, SvixOptions
from svix.exceptions import HTTPValidationError, HttpError

import table

SERVER, TOKEN, RECEIVER = os.environ["SERVER_URL"], os.environ["TOKEN"], os.environ["RECEIVER_URL"]
DEADLINE_SECONDS = 60

steps = []


def step(*names):
    """Registers a step that proves these operations."""

    def register(function):
        steps.append((names, function))
        return function

    return register


class Recorder:
    """The library, with every method made awaitable and every call noted."""

    def __init__(self, api, called, path=()):
        self._api, self._called, self._path = api, called, path

    def __getattr__(self, name):
        member, path = getattr(self._api, name), (*self._path, name.rstrip("_"))
        if not callable(member):
            return Recorder(member, self._called, path)

        async def call(*arguments, **named):
            self._called.add(".".join(path))
            answer = member(*arguments, **named)
            return await answer if inspect.isawaitable(answer) else answer

        return call


class Walk:
    """What the steps share."""

    def __init__(self, api, name):
        self.called = set()
        self.plain = api
        self.api = Recorder(api, self.called)
        self.name = name
        self.began = datetime.now(timezone.utc) - timedelta(minutes=5)


async def until(what, ask):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        answer = await ask()
        if answer:
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {DEADLINE_SECONDS} s: {what}")


async def fails(status, call):
    try:
        answer = await call
    except HttpError as error:
        assert error.status_code == status, f"{error.status_code} is not {status}: {error}"
        assert error.code and error.detail, error
    except HTTPValidationError as error:
        assert status == 422 and error.detail, error
    else:
        raise AssertionError(f"{answer} is not a {status}")


async def finished(w, task):
    """The background task, once it is over."""

    async def over():
        now = await w.api.background_task.get(task.id)
        return now if now.status != "running" else None

    now = await until(f"{task.id} is over", over)
    assert (now.status, now.task) == ("finished", task.task), now
    return now


# --- applications


@step("health.get")
async def health(w):
    assert await w.api.health.get() is None


@step("application.create", "application.get", "application.get_or_create")
async def application_create(w):
    settings = library.ApplicationIn(name="Walk", uid=w.name, throttle_rate=1000, metadata={"plan": "pro"})
    w.app = await w.api.application.create(settings)
    assert w.app.id.startswith("app_") and w.app.uid == w.name and w.app.throttle_rate == 1000
    assert w.app.metadata == {"plan": "pro"} and w.app.created_at > w.began
    assert await w.api.application.get(w.name) == w.app
    assert await w.api.application.get(w.app.id) == w.app
    assert (await w.api.application.get_or_create(settings)).id == w.app.id
    await fails(409, w.api.application.create(settings))
    await fails(404, w.api.application.get("nobody"))


@step("application.list")
async def application_list(w):
    for number in range(3):
        await w.api.application.create(library.ApplicationIn(name=f"{w.name}-{number}", uid=f"{w.name}-{number}"))
    seen, iterator = [], None
    while True:
        page = await w.api.application.list(library.ApplicationListOptions(limit=2, iterator=iterator))
        seen += [one.id for one in page.data]
        if page.done:
            break
        iterator = page.iterator
    assert w.app.id in seen and len(seen) == len(set(seen)) >= 4
    newest = await w.api.application.list(library.ApplicationListOptions(limit=1, order="descending"))
    assert newest.data[0].uid == f"{w.name}-2" and not newest.done and newest.prev_iterator


@step("application.upsert", "application.patch", "application.delete")
async def application_change(w):
    replaced = await w.api.application.upsert(f"{w.name}-0", library.ApplicationIn(name="Replaced"))
    assert (replaced.name, replaced.uid) == ("Replaced", f"{w.name}-0")
    made = await w.api.application.upsert(f"{w.name}-new", library.ApplicationIn(name="Made"))
    assert made.uid == f"{w.name}-new"
    patched = await w.api.application.patch(made.id, library.ApplicationPatch(throttle_rate=7))
    assert (patched.name, patched.throttle_rate) == ("Made", 7)
    cleared = await w.api.application.patch(made.id, library.ApplicationPatch(throttle_rate=None))
    assert (cleared.name, cleared.throttle_rate) == ("Made", None)
    assert await w.api.application.delete(made.id) is None
    await fails(404, w.api.application.get(made.id))


# --- event types


@step("event_type.create", "event_type.get", "event_type.list", "event_type.upsert", "event_type.patch")
async def event_types(w):
    w.type = f"{w.name}.paid"
    schemas = {"1": {"type": "object", "examples": [{"amount": 1}]}}
    made = await w.api.event_type.create(
        library.EventTypeIn(name=w.type, description="Paid.", schemas=schemas, group_name="billing")
    )
    assert (made.name, made.description, made.schemas) == (w.type, "Paid.", schemas)
    assert await w.api.event_type.get(w.type) == made
    await fails(409, w.api.event_type.create(library.EventTypeIn(name=w.type, description="Again.")))
    other = await w.api.event_type.upsert(f"{w.name}.sent", library.EventTypeUpsertIn(description="Sent."))
    assert other.name == f"{w.name}.sent"
    patched = await w.api.event_type.patch(other.name, library.EventTypePatch(deprecated=True))
    assert patched.deprecated and patched.description == "Sent."
    names = [one.name for one in (await w.api.event_type.list(library.EventTypeListOptions(limit=250))).data]
    assert w.type in names and other.name in names
    bare = (await w.api.event_type.list(library.EventTypeListOptions(with_content=False, limit=250))).data
    assert all(not one.schemas for one in bare)


@step("event_type.delete")
async def event_type_delete(w):
    name = f"{w.name}.sent"
    assert await w.api.event_type.delete(name) is None
    assert (await w.api.event_type.get(name)).archived
    listed = (await w.api.event_type.list(library.EventTypeListOptions(limit=250))).data
    assert name not in [one.name for one in listed]
    all_of_them = (await w.api.event_type.list(library.EventTypeListOptions(limit=250, include_archived=True))).data
    assert name in [one.name for one in all_of_them]
    await w.api.event_type.delete(name, library.EventTypeDeleteOptions(expunge=True))
    await fails(404, w.api.event_type.get(name))


@step("event_type.import_openapi")
async def event_type_import(w):
    name = f"{w.name}.imported"
    webhook = {"post": {"description": "Imported.", "requestBody": {
        "content": {"application/json": {"schema": {"type": "object", "properties": {"a": {"type": "string"}}}}}}}}
    spec = {"openapi": "3.1.0", "info": {"title": "A", "version": "1"}, "webhooks": {name: webhook}}
    tried = await w.api.event_type.import_openapi(library.EventTypeImportOpenApiIn(spec=spec, dry_run=True))
    assert [one.name for one in tried.data.to_modify] == [name]
    await fails(404, w.api.event_type.get(name))
    done = await w.api.event_type.import_openapi(library.EventTypeImportOpenApiIn(spec=spec))
    assert name in done.data.modified
    assert (await w.api.event_type.get(name)).schemas


# --- endpoints


@step("endpoint.create", "endpoint.get", "endpoint.list", "endpoint.upsert", "endpoint.patch", "endpoint.delete")
async def endpoints(w):
    settings = library.EndpointIn(
        url=f"{RECEIVER}/ok", uid="good", description="Good.", event_types=[w.type], metadata={"a": "b"}
    )
    w.good = await w.api.endpoint.create(w.name, settings)
    assert w.good.id.startswith("ep_") and w.good.url == f"{RECEIVER}/ok" and w.good.event_types == [w.type]
    assert w.good.metadata == {"a": "b"} and not w.good.disabled and w.good.channels is None
    w.bad = await w.api.endpoint.create(w.name, library.EndpointIn(url=f"{RECEIVER}/fail", uid="bad"))
    assert await w.api.endpoint.get(w.name, "good") == w.good
    listed = await w.api.endpoint.list(w.name)
    assert [one.id for one in listed.data] == [w.bad.id, w.good.id] and listed.done
    oldest = await w.api.endpoint.list(w.name, library.EndpointListOptions(limit=1, order="ascending"))
    assert [one.id for one in oldest.data] == [w.good.id] and not oldest.done

    made = await w.api.endpoint.upsert(w.name, "spare", library.EndpointUpsertIn(url=f"{RECEIVER}/ok"))
    assert made.uid == "spare"
    again = await w.api.endpoint.upsert(
        w.name, "spare", library.EndpointUpsertIn(url=f"{RECEIVER}/ok", uid="spare", channels=["one"])
    )
    assert (again.id, again.channels) == (made.id, ["one"])
    patched = await w.api.endpoint.patch(w.name, "spare", library.EndpointPatch(disabled=True, channels=None))
    assert patched.disabled and patched.channels is None
    assert await w.api.endpoint.delete(w.name, "spare") is None
    await fails(404, w.api.endpoint.get(w.name, "spare"))


@step("endpoint.set_headers", "endpoint.get_headers", "endpoint.patch_headers")
async def endpoint_headers(w):
    headers = library.EndpointHeadersIn(headers={"x-plain": "1", "authorization": "Basic c2VjcmV0"})
    assert await w.api.endpoint.set_headers(w.name, "good", headers) is None
    shown = await w.api.endpoint.get_headers(w.name, "good")
    assert shown.headers == {"x-plain": "1"} and shown.sensitive == ["authorization"], shown
    change = library.EndpointHeadersPatchIn(headers={"x-more": "2"}, delete_headers=["authorization"])
    assert await w.api.endpoint.patch_headers(w.name, "good", change) is None
    shown = await w.api.endpoint.get_headers(w.name, "good")
    assert shown.headers == {"x-plain": "1", "x-more": "2"} and shown.sensitive == []


@step("endpoint.get_secret", "endpoint.rotate_secret")
async def endpoint_secret(w):
    first = (await w.api.endpoint.get_secret(w.name, "good")).key
    assert first.startswith("whsec_")
    rotated = await w.api.endpoint.rotate_secret(w.name, "good", library.EndpointSecretRotateIn())
    assert (await w.api.endpoint.get_secret(w.name, "good")).key == rotated.key != first
    own = "whsec_" + "A" * 44
    await w.api.endpoint.rotate_secret(w.name, "good", library.EndpointSecretRotateIn(key=own))
    assert (await w.api.endpoint.get_secret(w.name, "good")).key == own


# --- messages and attempts


@step("message.create", "message.get", "message.list")
async def messages(w):
    w.payload = {"amount": 4200, "name": "Zoë"}
    posted = library.MessageIn(
        event_type=w.type, event_id="first", payload=w.payload, channels=["one", "two"], tags=["red"]
    )
    w.msg = await w.api.message.create(w.name, posted, library.MessageCreateOptions(with_content=True))
    assert w.msg.id.startswith("msg_") and w.msg.event_id == "first" and w.msg.payload == w.payload
    await fails(409, w.api.message.create(w.name, posted))
    other = await w.api.message.create(w.name, library.MessageIn(event_type="other", payload={}))
    # Without being asked for content, the library asks for none.
    whole = library.MessageGetOptions(with_content=True)
    got = await w.api.message.get(w.name, "first", whole)
    assert got.id == w.msg.id and got.payload == w.payload
    bare = await w.api.message.get(w.name, "first")
    assert bare.payload == {}

    async def found(**filters):
        page = await w.api.message.list(w.name, library.MessageListOptions(**filters))
        return [one.id for one in page.data]

    assert await found() == [other.id, w.msg.id]
    for filters in (
        {"event_types": [w.type]}, {"channel": "two"}, {"tag": "red"}, {"event_types": [w.type, "none"], "limit": 5}
    ):
        assert await found(**filters) == [w.msg.id], filters
    assert await found(after=w.began) == [other.id, w.msg.id]
    assert await found(before=w.began) == []


@step("message.precheck")
async def precheck(w):
    asked = library.MessagePrecheckIn(event_type=w.type)
    assert (await w.api.message.precheck(w.name, asked)).active
    assert not (await w.api.message.precheck(f"{w.name}-0", asked)).active


@step("message_attempt.list_by_endpoint", "message_attempt.list_by_msg", "message_attempt.get")
async def attempts(w):
    options = library.MessageAttemptListByMsgOptions

    async def ended():
        at_bad = (await w.api.message_attempt.list_by_msg(w.name, w.msg.id, options(endpoint_id=w.bad.id))).data
        at_good = (await w.api.message_attempt.list_by_msg(w.name, w.msg.id, options(endpoint_id=w.good.id))).data
        return len(at_bad) == 7 and len(at_good) == 1

    await until("every attempt is made", ended)
    by = library.MessageAttemptListByEndpointOptions
    one = (await w.api.message_attempt.list_by_endpoint(w.name, "good", by(with_content=True))).data[0]
    assert one.msg_id == w.msg.id and one.endpoint_id == w.good.id and one.response_status_code == 200
    assert (int(one.status), one.status_text, int(one.trigger_type)) == (0, "success", 0)
    assert one.url == f"{RECEIVER}/ok" and one.response_duration_ms >= 0 and one.response == "fine"
    assert (await w.api.message_attempt.get(w.name, w.msg.id, one.id)).id == one.id
    w.attempt = one
    one = (await w.api.message_attempt.list_by_endpoint(w.name, "good", by(with_msg=True))).data[0]
    assert one.msg.id == w.msg.id and one.response == ""
    for filters, number in (
        ({"status_code_class": 500}, 14), ({"status_code_class": 200}, 0), ({"channel": "one"}, 7),
        ({"tag": "red"}, 7), ({"event_types": ["other"]}, 7), ({"after": w.began}, 14), ({"before": w.began}, 0),
    ):
        async def so_many():
            page = await w.api.message_attempt.list_by_endpoint(w.name, "bad", by(limit=100, **filters))
            return len(page.data) == number

        await until(f"{number} attempts with {filters}", so_many)
    failed = await w.api.message_attempt.list_by_endpoint(w.name, "bad", by(status=2, limit=100))
    assert failed.data and all(int(one.status) == 2 for one in failed.data)


@step("message_attempt.list_attempted_messages")
async def attempted_messages(w):
    options = library.MessageAttemptListAttemptedMessagesOptions(with_content=True)
    page = await w.api.message_attempt.list_attempted_messages(w.name, "good", options)
    assert [(one.id, int(one.status), one.status_text) for one in page.data] == [(w.msg.id, 0, "success")]
    assert page.data[0].payload == w.payload and page.done
    options = library.MessageAttemptListAttemptedMessagesOptions(status=2)
    failed = await w.api.message_attempt.list_attempted_messages(w.name, "bad", options)
    assert len(failed.data) == 2 and all(one.status_text == "fail" for one in failed.data)


@step("message_attempt.list_attempted_destinations")
async def attempted_destinations(w):
    page = await w.api.message_attempt.list_attempted_destinations(w.name, w.msg.id)
    found = {one.id: (int(one.status), one.status_text, one.url) for one in page.data}
    assert found == {w.good.id: (0, "success", w.good.url), w.bad.id: (2, "fail", w.bad.url)}, found


@step("message_attempt.resend")
async def resend(w):
    await w.api.message_attempt.resend(w.name, w.msg.id, "good")
    options = library.MessageAttemptListByMsgOptions(endpoint_id=w.good.id)

    async def came():
        found = (await w.api.message_attempt.list_by_msg(w.name, "first", options)).data
        return found if len(found) == 2 else None

    newest = (await until("it was sent again", came))[0]
    assert int(newest.trigger_type) == 1 and newest.response_status_code == 200


@step("endpoint.get_stats", "endpoint.get_attempt_stats")
async def stats(w):
    if "endpoint.get_stats" in table.SERVED:
        async def counted():
            now = await w.api.endpoint.get_stats(w.name, "bad")
            return (now.success, now.fail, now.pending, now.sending, now.canceled) == (0, 2, 0, 0, 0)

        await until("the deliveries are counted", counted)
        # It was delivered, and delivered again when it was resent.
        assert (await w.api.endpoint.get_stats(w.name, "good")).success == 2
    if "endpoint.get_attempt_stats" in table.SERVED:
        now = await w.api.endpoint.get_attempt_stats(w.name, "bad")
        assert (now.success, now.fail) == (0, 14), now


@step("endpoint.send_example")
async def send_example(w):
    sent = await w.api.endpoint.send_example(w.name, "good", library.EventExampleIn(event_type=w.type))
    assert sent.event_type == w.type and sent.payload == {"amount": 1}

    async def came():
        found = (await w.api.message_attempt.list_by_msg(w.name, sent.id)).data
        return [one.endpoint_id for one in found] == [w.good.id]

    await until("the example arrives, at this endpoint alone", came)


@step("endpoint.recover")
async def recover(w):
    assert await task_repairs(w, w.api.endpoint.recover(w.name, "bad", library.RecoverIn(since=w.began))) == 2


@step("endpoint.bulk_replay")
async def bulk_replay(w):
    which = library.BulkReplayIn(since=w.began, event_types=["other"])
    assert await task_repairs(w, w.api.endpoint.bulk_replay(w.name, "bad", which)) == 1


async def task_repairs(w, call):
    """How many more messages have come to `bad` when a task is over. It fails again, once for each."""
    by = library.MessageAttemptListByEndpointOptions(limit=250)

    async def number():
        return len((await w.api.message_attempt.list_by_endpoint(w.name, "bad", by)).data)

    before = await number()
    task = await call
    assert task.id.startswith("qtask_") and task.task.startswith("endpoint."), task
    await finished(w, task)

    async def rounds():
        more = await number() - before
        return more // 7 if more and more % 7 == 0 and await settled(w) else None

    return await until("what the task put back was tried to the end", rounds)


async def settled(w):
    """Whether nothing waits at `bad` any more."""
    page = await w.api.message_attempt.list_attempted_destinations(w.name, w.msg.id)
    return all(one.status_text not in ("pending", "sending") for one in page.data)


@step("endpoint.replay_missing")
async def replay_missing(w):
    await w.api.endpoint.create(w.name, library.EndpointIn(url=f"{RECEIVER}/ok", uid="late", event_types=[w.type]))
    task = await w.api.endpoint.replay_missing(w.name, "late", library.ReplayIn(since=w.began))
    await finished(w, task)

    async def came():
        found = (await w.api.message_attempt.list_by_endpoint(w.name, "late")).data
        return w.msg.id in [one.msg_id for one in found]

    await until("what it missed arrives", came)


@step("background_task.list", "background_task.get")
async def background_tasks(w):
    listed = (await w.api.background_task.list()).data
    if "endpoint.recover" in table.SERVED:
        assert "endpoint.recover" in [one.task for one in listed], listed
        only = await w.api.background_task.list(library.BackgroundTaskListOptions(task="endpoint.recover"))
        assert only.data and all(one.task == "endpoint.recover" for one in only.data)
        assert (await w.api.background_task.get(only.data[0].id)).id == only.data[0].id
    await fails(404, w.api.background_task.get("qtask_01h455vb4pex5vsknk084sn02q"))


@step("message_attempt.expunge_content")
async def attempt_expunge(w):
    assert await w.api.message_attempt.expunge_content(w.name, w.msg.id, w.attempt.id) is None
    assert (await w.api.message_attempt.get(w.name, w.msg.id, w.attempt.id)).response != "fine"


@step("message.expunge_content")
async def message_expunge(w):
    assert await w.api.message.expunge_content(w.name, w.msg.id) is None
    whole = library.MessageGetOptions(with_content=True)
    assert (await w.api.message.get(w.name, w.msg.id, whole)).payload != w.payload


@step("message.bulk_expunge_content")
async def message_bulk_expunge(w):
    sent = [await w.api.message.create(w.name, library.MessageIn(event_type="quiet", payload={"n": n})) for n in (1, 2)]
    await w.api.message.bulk_expunge_content(w.name, library.BulkExpungeContentsIn(ids=[sent[0].id]))
    whole = library.MessageGetOptions(with_content=True)
    payloads = [(await w.api.message.get(w.name, one.id, whole)).payload for one in sent]
    assert payloads[0] != {"n": 1} and payloads[1] == {"n": 2}, payloads
    w.quiet = sent[1]


@step("message.expunge_all_contents")
async def message_expunge_all(w):
    task = await w.api.message.expunge_all_contents(w.name)
    assert task.task == "application.purge_content", task
    await finished(w, task)
    whole = library.MessageGetOptions(with_content=True)
    assert (await w.api.message.get(w.name, w.quiet.id, whole)).payload != {"n": 2}


@step("statistics.aggregate_app_stats")
async def app_stats(w):
    until_now = datetime.now(timezone.utc)
    asked = library.AppUsageStatsIn(since=w.began, until=until_now, app_ids=[w.app.id, "nobody"])
    task = await w.api.statistics.aggregate_app_stats(asked)
    assert task.task == "application.stats" and task.unresolved_app_ids == ["nobody"], task
    await finished(w, task)


@step("statistics.aggregate_event_types")
async def event_type_stats(w):
    task = await w.api.statistics.aggregate_event_types()
    assert task.task == "event-type.aggregate", task
    await finished(w, task)


# --- a tenant's own credentials


def tenant(w, token):
    options = SvixOptions(server_url=SERVER)
    return Recorder(type(w.plain)(token, options), w.called)


@step("authentication.app_portal_access")
async def portal_access(w):
    asked = library.AppPortalAccessIn(feature_flags=[], expiry=3600)
    access = await w.api.authentication.app_portal_access(w.name, asked)
    assert access.token and "://" in access.url
    w.tenant = tenant(w, access.token)
    assert [one.uid for one in (await w.tenant.endpoint.list(w.name)).data if one.uid == "good"] == ["good"]
    await fails(403, w.tenant.application.list())
    await fails(404, w.tenant.application.get(f"{w.name}-0"))


@step("authentication.logout")
async def logout(w):
    assert await w.tenant.authentication.logout() is None
    await fails(401, w.tenant.endpoint.list(w.name))


@step("authentication.expire_all")
async def expire_all(w):
    access = await w.api.authentication.app_portal_access(w.name, library.AppPortalAccessIn())
    short_lived = tenant(w, access.token)
    await short_lived.endpoint.list(w.name)
    assert await w.api.authentication.expire_all(w.name, library.ApplicationTokenExpireIn(expiry=0)) is None

    async def ended():
        try:
            await short_lived.endpoint.list(w.name)
        except HttpError as error:
            assert error.status_code == 401, error
            return True

    await until("the token has ended", ended)


# --- operational webhooks


@step(
    "operational_webhook.endpoint.create",
    "operational_webhook.endpoint.get",
    "operational_webhook.endpoint.list",
    "operational_webhook.endpoint.upsert",
)
async def operational_webhooks(w):
    endpoint = w.api.operational_webhook.endpoint
    made = await endpoint.create(
        library.OperationalWebhookEndpointIn(url=f"{RECEIVER}/ok", uid=f"{w.name}-op", event_types=["endpoint.disabled"])
    )
    assert made.id.startswith("ep_") and made.event_types == ["endpoint.disabled"], made
    assert (await endpoint.get(f"{w.name}-op")).id == made.id
    assert made.id in [one.id for one in (await endpoint.list()).data]
    replacement = library.OperationalWebhookEndpointUpsertIn(url=f"{RECEIVER}/ok", uid=f"{w.name}-op", description="New.")
    replaced = await endpoint.upsert(made.id, replacement)
    assert (replaced.id, replaced.description) == (made.id, "New.")


@step("operational_webhook.endpoint.set_headers", "operational_webhook.endpoint.get_headers")
async def operational_headers(w):
    endpoint = w.api.operational_webhook.endpoint
    headers = library.OperationalWebhookEndpointHeadersIn(headers={"x-a": "1"})
    assert await endpoint.set_headers(f"{w.name}-op", headers) is None
    assert (await endpoint.get_headers(f"{w.name}-op")).headers == {"x-a": "1"}


@step("operational_webhook.endpoint.get_secret", "operational_webhook.endpoint.rotate_secret")
async def operational_secret(w):
    endpoint = w.api.operational_webhook.endpoint
    first = (await endpoint.get_secret(f"{w.name}-op")).key
    await endpoint.rotate_secret(f"{w.name}-op", library.OperationalWebhookEndpointSecretIn())
    second = (await endpoint.get_secret(f"{w.name}-op")).key
    assert first.startswith("whsec_") and second.startswith("whsec_") and first != second


@step("operational_webhook.endpoint.delete")
async def operational_delete(w):
    endpoint = w.api.operational_webhook.endpoint
    assert await endpoint.delete(f"{w.name}-op") is None
    await fails(404, endpoint.get(f"{w.name}-op"))


async def expectations(w):
    """What users of the library rely on besides: names like our ids, any text as a payload, a ping, the order of lists."""
    uid = f"org_2abc-{w.name}"
    tenant = await w.api.application.create(library.ApplicationIn(name="Named like an id", uid=uid))
    assert (await w.api.application.get(uid)).id == tenant.id
    url = f"{RECEIVER}/ok".replace("http://", "http://user:secret@")
    first = await w.api.endpoint.create(uid, library.EndpointIn(url=url, uid="msg_1"))
    assert first.url == f"{RECEIVER}/ok".replace("http://", "http://********@"), first.url
    second = await w.api.endpoint.create(uid, library.EndpointIn(url=f"{RECEIVER}/ok"))
    params = {"rawPayload": "<paid/>", "headers": {"content-type": "application/xml"}}
    raw = library.MessageIn(event_type="raw", payload={}, transformations_params=params)
    sent = await w.api.message.create(uid, raw, library.MessageCreateOptions(with_content=True))
    assert sent.payload == {}, sent
    ping = library.EventExampleIn(event_type="svix.ping")
    assert (await w.api.endpoint.send_example(uid, first.id, ping)).payload == {"success": True}
    await w.api.endpoint.delete(uid, second.id)
    page = await w.api.message_attempt.list_attempted_destinations(uid, sent.id)
    assert [one.id for one in page.data] == [first.id, second.id], page
    await waiting_expectations(w, uid)
    await asked_otherwise(w, uid)
    await w.api.application.delete(uid)


async def waiting_expectations(w, uid):
    """A retry that is due in an hour counts as being sent, and is made at once when it is recovered. What is held waits."""
    later = await w.api.endpoint.create(uid, library.EndpointIn(url=f"{RECEIVER}/later/{w.name}", uid="key_1"))
    failed = await w.api.message.create(uid, library.MessageIn(event_type="late", payload={}))

    async def at_later(status):
        options = library.MessageAttemptListAttemptedMessagesOptions(status=status)
        page = await w.api.message_attempt.list_attempted_messages(uid, later.id, options)
        return [(one.id, one.status_text) for one in page.data] == [(failed.id, table.STATUSES[status])]

    async def tried():
        return len((await w.api.message_attempt.list_by_endpoint(uid, later.id)).data) == 1

    await until("it was tried", tried)
    assert await at_later(3) and not await at_later(1)
    await finished(w, await w.api.endpoint.recover(uid, later.id, library.RecoverIn(since=w.began)))
    await until("what was recovered is sent now", lambda: at_later(0))
    await w.api.endpoint.patch(uid, later.id, library.EndpointPatch(disabled=True))
    held = await w.api.message.create(uid, library.MessageIn(event_type="late", payload={}))

    async def stands():
        page = await w.api.message_attempt.list_attempted_destinations(uid, held.id)
        return {one.id: (one.status_text, one.next_attempt) for one in page.data}[later.id]

    assert await stands() == ("pending", None)
    await w.api.endpoint.patch(uid, later.id, library.EndpointPatch(disabled=False))

    async def goes():
        return (await stands())[0] == "success"

    await until("what was held goes", goes)


async def asked_otherwise(w, uid):
    """What others ask, or ask wrongly: filters in brackets, names that are not there, a portal for somebody else."""
    path = f"/api/v1/app/{uid}/msg"
    assert [one["eventType"] for one in asked(f"{path}?event_types[0]=raw")["data"]] == ["raw"]
    assert "eventType" in asked(f"{path}?eventType=raw", 422)["detail"][0]["loc"]
    for call, what in (
        (w.api.application.get("nobody"), "application"),
        (w.api.endpoint.get(uid, "nobody"), "endpoint"),
        (w.api.message.get(uid, "nobody"), "message"),
    ):
        try:
            await call
        except HttpError as error:
            assert what in error.detail, error.detail
    other = library.ApplicationIn(name="Another's", uid="another")
    await fails(422, w.api.authentication.app_portal_access(uid, library.AppPortalAccessIn(application=other)))


def asked(path, status=200):
    """The answer to a request that the library would not make."""
    request = urllib.request.Request(SERVER + path, headers={"authorization": f"Bearer {TOKEN}"})
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        assert answer.status == status, f"{path}: {answer.status}"
        return json.load(answer)


async def walk(api, name):
    table.check_complete(api)
    w = Walk(api, name)
    for names, function in steps:
        if table.SERVED & set(names):
            await function(w)
    await expectations(w)
    left = table.SERVED - w.called
    assert not left, f"served, and not walked through: {sorted(left)}"
    await table.check_refused(api)
    # What is left of it must not hold up the end of the test.
    await w.api.application.delete(name)
    print(f"{name}: {len(w.called)} operations walked through, {len(table.REFUSED)} refused")


asyncio.run(walk(Svix(TOKEN, SvixOptions(server_url=SERVER)), "blocking"))
asyncio.run(walk(SvixAsync(TOKEN, SvixOptions(server_url=SERVER)), "asynchronous"))
