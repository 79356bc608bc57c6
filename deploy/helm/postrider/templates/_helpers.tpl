{{- define "postrider.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "postrider.labels" -}}
app.kubernetes.io/name: postrider
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "postrider.selector" -}}
app.kubernetes.io/name: postrider
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Which pods get requests: the API's own where there are some. */}}
{{- define "postrider.apiComponent" -}}
{{- if .Values.split }}api{{ else }}node{{ end -}}
{{- end -}}

{{/* A pod of nodes; takes the context, the component, its roles and its resources. */}}
{{- define "postrider.pod" -}}
{{- $ := index . 0 -}}
{{- $component := index . 1 -}}
{{- $roles := index . 2 -}}
{{- $resources := index . 3 -}}
metadata:
  labels:
    {{- include "postrider.selector" $ | nindent 4 }}
    app.kubernetes.io/component: {{ $component }}
  annotations:
    checksum/settings: {{ toJson $.Values.settings | sha256sum }}
    {{- if $.Values.metrics.enabled }}
    prometheus.io/scrape: "true"
    prometheus.io/port: {{ $.Values.metrics.port | quote }}
    {{- end }}
    {{- with $.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "postrider.name" $ }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ $.Values.terminationGracePeriodSeconds }}
  {{- with $.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: postrider
      image: "{{ $.Values.image.repository }}:{{ $.Values.image.tag | default $.Chart.AppVersion }}"
      imagePullPolicy: {{ $.Values.image.pullPolicy }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      envFrom:
        - configMapRef:
            name: {{ include "postrider.name" $ }}
      env:
        - name: POSTRIDER_ROLES
          value: {{ $roles }}
        # Unique; a node of the stateful set keeps it when it is started again, and goes on where it was.
        - name: POSTRIDER_NODE_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: DATABASE_URL_FILE
          value: /run/secrets/postrider/database-url
        - name: POSTRIDER_JWT_SECRET_FILE
          value: /run/secrets/postrider/jwt-secret
        - name: POSTRIDER_MAIN_SECRET_FILE
          value: /run/secrets/postrider/main-secret
        {{- if $.Values.metrics.enabled }}
        - name: POSTRIDER_METRICS_LISTEN
          value: "0.0.0.0:{{ $.Values.metrics.port }}"
        {{- end }}
      ports:
        - name: http
          containerPort: 8071
          protocol: TCP
        {{- if $.Values.metrics.enabled }}
        - name: metrics
          containerPort: {{ $.Values.metrics.port }}
          protocol: TCP
        {{- end }}
      # Time for migrations.
      startupProbe:
        httpGet:
          path: /api/v1/health/ping
          port: http
        periodSeconds: 2
        failureThreshold: 150
      # Fails without a database, so that requests go to nodes that can store them.
      readinessProbe:
        httpGet:
          path: /api/v1/health
          port: http
        periodSeconds: 5
        timeoutSeconds: 4
      # Does not ask the database: a restart would not help it.
      livenessProbe:
        httpGet:
          path: /api/v1/health/ping
          port: http
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      resources:
        {{- toYaml $resources | nindent 8 }}
      volumeMounts:
        - name: secrets
          mountPath: /run/secrets/postrider
          readOnly: true
  volumes:
    - name: secrets
      secret:
        secretName: {{ required "secretName: name a Secret with database-url, jwt-secret and main-secret" $.Values.secretName }}
        defaultMode: 288
  # Nodes on several machines, where there are several.
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "postrider.selector" $ | nindent 10 }}
          app.kubernetes.io/component: {{ $component }}
  {{- with $.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
