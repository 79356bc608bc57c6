"""The API's description, judged by other people's code: it is valid OpenAPI, every operation is told in full, and
every example fits its schema. Reads the description from standard input; prints what is wrong, and fails if anything is.
"""

import json
import re
import sys

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

METHODS = ["get", "post", "put", "patch", "delete"]
IDENTIFIER = re.compile(r"v1(\.[a-z]+(-[a-z0-9]+)*){2,}")
WITHOUT_CREDENTIALS = {"v1.health.get", "v1.health.ping", "v1.session.options", "v1.session.oidc-start"}
# A page that the browser goes to, not one that is fetched: its answers lead elsewhere.
NAVIGATIONS = {"v1.session.oidc-start"}
# What a session begins with is no change that a key could repeat.
WITHOUT_KEY = {"v1.session.create"}
WITH_CREDENTIALS = {"401", "403", "422", "500", "503"}
WITH_PATH = {"404"}
WITH_BODY = {"413", "415"}
# A repeated key with another body.
WITH_KEY = {"409"}

specification = json.load(sys.stdin)
schemas = specification["components"]["schemas"]
wrong = []


def check(holds, *what):
    if not holds:
        wrong.append(": ".join(map(str, what)))
    return holds


def resolved(schema):
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def variants(schema):
    return [one for kind in ("oneOf", "anyOf", "allOf") for one in schema.get(kind, [])]


def check_example(place, schema, example):
    whole = {**schema, "components": specification["components"]}
    for error in Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(example):
        check(False, place, f"its example does not fit: {error.json_path}: {error.message}")


def check_schema(place, schema):
    """Every field says what it is for; every example fits."""
    if "example" in schema:
        check_example(place, schema, schema["example"])
    for example in schema.get("examples", []):
        check_example(place, schema, example)
    for name, field in schema.get("properties", {}).items():
        told = [part for part in (field, *variants(field)) if part.get("description")]
        check(told, f"{place}.{name}", "nothing says what it is for")
        check_schema(f"{place}.{name}", field)


def check_content(place, holder):
    """A body is JSON, of a schema that has an example, or a stream of events or of lines that are."""
    content = holder.get("content", {})
    for stream, parts in (("text/event-stream", "events"), ("application/x-ndjson", "lines")):
        if set(content) == {stream}:
            check(content[stream].get("schema"), place, f"its {parts} have no schema")
            return
    if not check(set(content) == {"application/json"}, place, "its body is not JSON", set(content)):
        return
    schema = content["application/json"].get("schema")
    if check(schema, place, "its body has no schema"):
        candidates = [content["application/json"], resolved(schema), *map(resolved, variants(schema))]
        check(any("example" in candidate for candidate in candidates), place, "no example")
        check_schema(place, schema)


def check_parameters(name, path, operation):
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        check(parameter.get("description"), name, parameter["name"], "nothing says what it is for")
        check(parameter.get("schema"), name, parameter["name"], "no schema")
        if "example" in parameter:
            check_example(f"{name} {parameter['name']}", parameter["schema"], parameter["example"])
    in_path = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
    check(in_path == set(re.findall(r"{(\w+)}", path)), name, "the path has other parameters", in_path)
    seen = [(parameter["in"], parameter["name"]) for parameter in parameters]
    check(len(seen) == len(set(seen)), name, "a parameter stands there twice", seen)
    content = operation["responses"].get("200", {}).get("content", {})
    if "application/json" in content:
        answer = resolved(content["application/json"].get("schema", {}))
        if {"data", "iterator", "done"} <= set(answer.get("properties", {})):
            check({("query", "limit"), ("query", "iterator")} <= set(seen), name, "a list without its parameters")


def check_answers(name, method, path, operation):
    answers = operation["responses"]
    needed = set() if operation["operationId"] in WITHOUT_CREDENTIALS else WITH_CREDENTIALS
    needed = needed | WITH_PATH if "{" in path else needed
    needed = needed | WITH_BODY if "requestBody" in operation else needed
    takes_key = "requestBody" in operation and method == "post" and operation["operationId"] not in WITHOUT_KEY
    needed = needed | WITH_KEY if takes_key else needed
    check(needed <= set(answers), name, "answers that are not told", sorted(needed - set(answers)))
    good = "3" if operation["operationId"] in NAVIGATIONS else "2"
    check(any(status.startswith(good) for status in answers), name, "no answer is a good one")
    for status, answer in answers.items():
        check(answer.get("description"), name, status, "nothing says when")
        if status.startswith("3"):
            check(operation["operationId"] in NAVIGATIONS and not answer.get("content"), name, status, "leads nowhere")
            continue
        if status == "204":
            check(not answer.get("content"), name, "a 204 has no body")
            continue
        check_content(f"{name} {status}", answer)
        if not status.startswith("2") and operation["operationId"] not in WITHOUT_CREDENTIALS:
            schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
            kind = "ValidationErrorOut" if status == "422" else "ErrorOut"
            check(schema.get("$ref") == f"#/components/schemas/{kind}", name, status, "is no error of the API's shape")


for error in OpenAPIV31SpecValidator(specification).iter_errors():
    check(False, "not OpenAPI 3.1", list(error.absolute_path), error.message)

identifiers, summaries, tags = [], [], {tag["name"] for tag in specification["tags"]}
for path, item in specification["paths"].items():
    check(set(item) <= set(METHODS), path, "has more than operations", set(item))
    for method, operation in item.items():
        name = f"{method.upper()} {path}"
        identifiers.append(operation.get("operationId", ""))
        check(IDENTIFIER.fullmatch(identifiers[-1]), name, "its id is not v1.resource.action", identifiers[-1])
        check(operation.get("summary", "").strip(), name, "no summary")
        check(operation.get("tags") and set(operation["tags"]) <= tags, name, "no tag that is told", operation.get("tags"))
        check_parameters(name, path, operation)
        check_answers(name, method, path, operation)
        if "requestBody" in operation:
            check_content(f"{name} body", operation["requestBody"])
check(len(identifiers) == len(set(identifiers)), "two operations have the same id")
check(len(identifiers) > 40, "where are the operations?", len(identifiers))

for name, schema in schemas.items():
    check_schema(name, schema)
    if schema.get("properties"):
        check("example" in schema, name, "no example")
    elif schema.get("type") == "object":
        check("description" in schema, name, "nothing says what it is for")

print("\n".join(wrong))
sys.exit(bool(wrong))
