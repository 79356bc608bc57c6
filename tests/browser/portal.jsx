// A portal as a customer of Postrider's operators would build one, with svix-react.

import React, { useState } from "react";
import { createRoot } from "react-dom/client";
import {
  SvixProvider,
  useAttemptedMessages,
  useEndpointFunctions,
  useEndpointHeaders,
  useEndpointMessageAttempts,
  useEndpointSecret,
  useEndpoints,
  useEndpointStats,
  useEventTypes,
  useMessages,
  useNewEndpoint,
} from "svix-react";

function Shown({ name, entity, children }) {
  const state = entity.error ? `failed: ${entity.error.message ?? entity.error}` : entity.loading ? "loading" : "ready";
  return (
    <section id={name} data-state={state}>
      {entity.data ? children : null}
    </section>
  );
}

function Endpoint({ endpoint, changed }) {
  const { deleteEndpoint } = useEndpointFunctions(endpoint.id);
  const remove = () => deleteEndpoint().then(changed);
  return (
    <li>
      <span>{endpoint.url}</span> <button onClick={remove}>delete {endpoint.url}</button>
    </li>
  );
}

function Endpoints() {
  const endpoints = useEndpoints();
  const fresh = useNewEndpoint();
  const [said, setSaid] = useState("");
  const create = async () => {
    const { endpoint, error } = await fresh.createEndpoint();
    setSaid(error ? `failed: ${error.message}` : `created ${endpoint.id}`);
    endpoints.reload();
  };
  return (
    <Shown name="endpoints" entity={{ ...endpoints, loading: endpoints.loading && !endpoints.data }}>
      <ul>
        {endpoints.data?.map((one) => (
          <Endpoint key={one.id} endpoint={one} changed={endpoints.reload} />
        ))}
      </ul>
      <input id="url" onChange={(event) => fresh.url.setValue(event.target.value)} />
      <button onClick={create}>create</button>
      <output>{said}</output>
    </Shown>
  );
}

function Details({ endpointId }) {
  const attempts = useEndpointMessageAttempts(endpointId, { withMsg: true });
  const secret = useEndpointSecret(endpointId);
  const headers = useEndpointHeaders(endpointId);
  const types = useEventTypes();
  const messages = useMessages();
  return (
    <>
      <Shown name="attempts" entity={attempts}>
        {attempts.data?.map((one) => <p key={one.id}>{`${one.msgId} ${one.responseStatusCode} ${one.msg?.eventType}`}</p>)}
      </Shown>
      <Shown name="secret" entity={secret}>{secret.data?.key}</Shown>
      <Shown name="headers" entity={headers}>{JSON.stringify(headers.data?.headers)}</Shown>
      <Shown name="types" entity={types}>{types.data?.map((one) => one.name).join(" ")}</Shown>
      <Shown name="messages" entity={messages}>{messages.data?.map((one) => one.id).join(" ")}</Shown>
    </>
  );
}

function Counted({ endpointId }) {
  const stats = useEndpointStats(endpointId);
  const attempted = useAttemptedMessages(endpointId);
  return (
    <>
      <Shown name="stats" entity={stats}>{String(stats.data?.success)}</Shown>
      <Shown name="attempted" entity={attempted}>{attempted.data?.map((one) => one.id).join(" ")}</Shown>
    </>
  );
}

window.show = ({ server, token, appId, endpointId }) =>
  createRoot(document.body).render(
    <SvixProvider token={token} appId={appId} options={{ serverUrl: server, numRetries: 0 }}>
      <Endpoints />
      <Details endpointId={endpointId} />
      <Counted endpointId={endpointId} />
    </SvixProvider>,
  );
