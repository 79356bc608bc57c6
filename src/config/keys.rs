//! The table of all keys: flags, environment variables, file keys, help and documentation all follow from it.

/// One thing that can be set: `name` in the file, `POSTRIDER_NAME` in the environment, `--name` as a flag.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// Its value when nobody sets it; `None` when there is none, or when it depends on others.
    pub(super) default: Option<&'static str>,
    /// How the value is called in `--help`.
    pub(super) value: &'static str,
    pub(super) help: &'static str,
    /// Never shown.
    pub(super) secret: bool,
}

impl Key {
    const fn new(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, default: None, value, help, secret: false }
    }

    const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    const fn hidden(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The environment variables that set it, the strongest first.
    pub(super) fn variables(&self) -> Vec<String> {
        let mut names = vec![format!("POSTRIDER_{}", self.name.to_ascii_uppercase())];
        let known_elsewhere = match self.name {
            "database_url" => Some("DATABASE_URL"),
            "otlp_endpoint" => Some("OTEL_EXPORTER_OTLP_ENDPOINT"),
            "otlp_sampling" => Some("OTEL_TRACES_SAMPLER_ARG"),
            "otlp_service_name" => Some("OTEL_SERVICE_NAME"),
            _ => None,
        };
        names.extend(known_elsewhere.map(str::to_owned));
        names
    }

    /// The variable that people know it by.
    pub(super) fn variable(&self) -> String {
        if self.name == "database_url" {
            return "DATABASE_URL".to_owned();
        }
        self.variables().into_iter().next().unwrap_or_default()
    }

    /// Whether its value is a secret or holds one, so that each of its variables has a twin that names a file.
    pub(super) fn can_be_in_a_file(&self) -> bool {
        self.secret || self.name == "database_url"
    }

    pub(super) fn flag(&self) -> String {
        self.name.replace('_', "-")
    }
}

pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

pub(super) const KEYS: &[Key] = &[
    Key::new("listen", "ADDRESS", "Where the API listens").or("127.0.0.1:8071"),
    Key::new(
        "database_url",
        "URL",
        "PostgreSQL 15 or later; without it a private one runs in the data directory",
    ),
    Key::new(
        "database_schema",
        "NAME",
        "The schema that the tables are in, so that several installations share a database [default: the user's, `public`]",
    ),
    Key::new(
        "data_dir",
        "DIR",
        "What this installation keeps on disk [default: /var/lib/postrider for root, else ~/.local/share/postrider]",
    ),
    Key::new("pg_bin", "DIR", "Where initdb and postgres are, for the private Postgres"),
    Key::new("jwt_secret", "SECRET", "Verifies tokens signed with HS256; 16 characters at least").hidden(),
    Key::new("jwt_algorithm", "NAME", "HS256, RS256 or EdDSA").or("HS256"),
    Key::new("jwt_public_key", "PEM|FILE", "Verifies tokens signed with RS256 or EdDSA"),
    Key::new("jwt_audience", "NAME", "The audience (aud) that every token must name"),
    Key::new("jwt_issuer", "NAME", "The issuer (iss) that every token must name"),
    Key::new("main_secret", "SECRET", "Seals endpoint secrets at rest; 16 characters at least").hidden(),
    Key::new(
        "main_secret_previous",
        "SECRET",
        "The main secret before, while `postrider reseal` moves everything under the new one",
    )
    .hidden(),
    Key::new("retry_schedule", "WAITS", "The waits before each retry (units ms, s, m, h, d)")
        .or("60s,5m,30m,2h,6h,24h"),
    Key::new(
        "retry_on",
        "LIST",
        "Which failures are tried again: all, network, timeout, 5xx, 429, with ! for all but",
    )
    .or("all"),
    Key::new(
        "svix_headers",
        "BOOL",
        "Sign each request under the names of Svix as well, for receivers that migrate",
    )
    .or("false"),
    Key::new(
        "request_timeout",
        "TIME",
        "The deadline of a delivery request whose endpoint has none, 50ms to 30s",
    )
    .or("15s"),
    Key::new(
        "connection_idle_timeout",
        "TIME",
        "How long a connection to a receiver is kept without a request",
    )
    .or("4s"),
    Key::new(
        "connection_lifetime",
        "TIME",
        "How long a connection to a receiver is used before its name is asked again",
    )
    .or("60s"),
    Key::new(
        "tls_ca_file",
        "FILE",
        "PEM certificates that are trusted along with the machine's, for https receivers and the SMTP server",
    ),
    Key::new("allow_insecure_tls", "BOOL", "Let endpoints have their receiver's certificate go unverified")
        .or("false"),
    Key::new("allow_subnets", "CIDRS", "Private networks that deliveries may go to all the same").or(""),
    Key::new("trusted_proxies", "CIDRS", "Proxies whose X-Forwarded-For says where a request came from")
        .or(""),
    Key::new("max_body_bytes", "SIZE", "The largest request body that the API takes").or("1MiB"),
    Key::new("body_budget_bytes", "SIZE", "What request bodies under way may take, all together").or("32MiB"),
    Key::new("page_bytes", "SIZE", "The payloads that one page of a list shows at most").or("4MiB"),
    Key::new("answer_budget_bytes", "SIZE", "What large answers under way may take, all together")
        .or("32MiB"),
    Key::new("max_connections", "N", "Connections to the API at a time, fewer where descriptors are short")
        .or("4096"),
    Key::new("max_streams", "N", "HTTP/2 requests at a time on one connection").or("100"),
    Key::new("head_timeout", "TIME", "How long the head of a request may take, 1s to 5m").or("10s"),
    Key::new("body_timeout", "TIME", "How long the body of a request may take, 1s to 1h").or("30s"),
    Key::new("answer_timeout", "TIME", "How long an answer may take, and taking it, 1s to 1h").or("60s"),
    Key::new("idle_timeout", "TIME", "How long a connection is kept without a request, 1s to 1h").or("75s"),
    Key::new("roles", "ROLES", "What this node does").or("api,dispatcher,maintenance"),
    Key::new("node_name", "NAME", "This node's name, unique and lasting [default: <host name>:<port>]"),
    Key::new("max_in_flight", "N", "Requests at a time to one endpoint, from each node").or("16"),
    Key::new("max_in_flight_cap", "N", "The largest maxInFlight that an endpoint may ask for").or("64"),
    Key::new("max_in_flight_total", "N", "Requests at a time, all endpoints together").or("2048"),
    Key::new("memory_budget_bytes", "SIZE", "What payloads waiting in memory may take").or("64MiB"),
    Key::new("max_endpoints", "N", "Endpoints of one application").or("100000"),
    Key::new("tenant_max_endpoints", "N", "Endpoints that an application has when its tenant adds one")
        .or("1000"),
    Key::new("tenant_max_retries", "N", "Retries in a schedule that a tenant sets").or("10"),
    Key::new("tenant_min_retry_wait", "TIME", "The shortest wait in a schedule that a tenant sets").or("1s"),
    Key::new("hold_limit", "TIME", "How long a delivery is held for a closed endpoint").or("30d"),
    Key::new("retention", "TIME", "How long messages and attempts are kept, 3d at least").or("30d"),
    Key::new(
        "dead_letter_retention",
        "TIME",
        "How long replayed and discarded dead letters are kept, 1d at least",
    )
    .or("90d"),
    Key::new(
        "open_dead_letter_retention",
        "TIME",
        "How long dead letters are kept that nobody deals with, 30d at least, or off",
    )
    .or("400d"),
    Key::new("task_retention", "TIME", "How long background tasks are kept that have ended, 1d at least")
        .or("30d"),
    Key::new("endpoint_disable_after", "TIME", "How long an endpoint may fail before it is disabled, or off")
        .or("5d"),
    Key::new("operational_window", "TIME", "Operational webhooks tell of failures once in so long").or("10s"),
    Key::new("audit_retention", "TIME", "How long the audit log is kept, 1d at least").or("400d"),
    Key::new("shutdown_timeout", "TIME", "How long a stop waits for requests that are out").or("30s"),
    Key::new("cors_origins", "ORIGINS", "Browser origins that may call the API").or(""),
    Key::new("public_url", "URL", "What links to this server start with"),
    Key::new("console", "BOOL", "Whether the console and the portal are served").or("true"),
    Key::new("oidc_issuer", "URL", "The OpenID provider by which people sign in to the console"),
    Key::new("oidc_client_id", "ID", "How the provider knows Postrider"),
    Key::new("oidc_client_secret", "SECRET", "How Postrider proves that; none for a public client").hidden(),
    Key::new("oidc_name", "NAME", "How people know the provider [default: its host]"),
    Key::new("oidc_scopes", "SCOPES", "What the provider is asked for").or("openid,profile,email"),
    Key::new("oidc_role_claim", "CLAIM", "The claim that gives people their role, or the path to it")
        .or("groups"),
    Key::new("oidc_roles", "ROLES", "What the claim's values mean: admins=operator,team=environment:org_x"),
    Key::new("smtp_url", "URL", "The server that alerts are e-mailed by: smtps://user:password@host")
        .hidden(),
    Key::new("smtp_from", "ADDRESS", "Who e-mail is from: Postrider <alerts@example.com>"),
    Key::new("api_connections", "N", "Database connections of the API").or("8"),
    Key::new("log", "FILTER", "What is logged: a level, or module=level pairs").or("info"),
    Key::new("log_format", "FORMAT", "auto (text on a terminal, else JSON), text or json").or("auto"),
    Key::new("access_log", "BOOL", "Log each request to the API").or("false"),
    Key::new("metrics_listen", "ADDRESS", "Where Prometheus reads /metrics; nowhere by default"),
    Key::new(
        "otlp_endpoint",
        "URL",
        "The collector that traces are sent to, by OTLP over HTTP; nowhere by default",
    ),
    Key::new("otlp_sampling", "SHARE", "The share of requests that is traced, 0 to 1").or("1"),
    Key::new("otlp_service_name", "NAME", "What this service is called in traces").or("postrider"),
    Key::new("send_traceparent", "BOOL", "Tell receivers which trace a request is part of").or("false"),
    Key::new("no_migrate", "BOOL", "Do not bring the schema up to date at the start").or("false"),
    #[cfg(debug_assertions)]
    Key::new("test_losses", "SHARE", "What tests have dropped in memory, 0 to 1; debug builds alone").or("0"),
];
