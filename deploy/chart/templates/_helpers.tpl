{{/* Labels that never change: they say which pods an object means. Of: root, name. */}}
{{- define "stack.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* Labels of every object; not of pods, which would restart for a new version. Of: root, name. */}}
{{- define "stack.labels" -}}
{{ include "stack.selector" . }}
app.kubernetes.io/part-of: {{ .root.Release.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.version }}
app.kubernetes.io/version: {{ . | replace "+" "_" | trunc 63 | quote }}
{{- end }}
{{- with .root.Values.environment }}
pipeline/environment: {{ . | quote }}
{{- end }}
{{- end }}

{{/* What a ConfigMap or Secret holds, in short: part of its name. Of its content. */}}
{{- define "stack.hash" -}}
{{ toJson . | sha256sum | trunc 10 }}
{{- end }}

{{/* The environment of a container, from the objects in settings.yaml. Of: name, workload. */}}
{{- define "stack.envFrom" -}}
{{- with .workload.environment }}
- configMapRef:
    name: {{ $.name }}-settings-{{ include "stack.hash" . }}
{{- end }}
{{- with .workload.secrets }}
- secretRef:
    name: {{ $.name }}-secrets-{{ include "stack.hash" . }}
{{- end }}
{{- end }}

{{/* Pods as the Pod Security Standard "restricted" wants them. Of: user, group. */}}
{{- define "stack.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int .user }}
runAsGroup: {{ int .group }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "stack.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* A folder in memory. Of: name, size. */}}
{{- define "stack.memoryVolume" -}}
name: {{ .name }}
emptyDir:
  medium: Memory
  sizeLimit: {{ .size }}
{{- end }}
