{{/* Fails on mistakes that the schema cannot see. */}}
{{- define "stack.checks" }}
{{- $names := concat (keys .Values.services) (keys .Values.backing) (keys .Values.external) }}
{{- range $name := uniq $names }}
  {{- if has $name (list "y" "n" "yes" "no" "on" "off" "true" "false" "null") }}
    {{- fail (printf "%s: YAML reads this as something else than a name; give it another" $name) }}
  {{- end }}
  {{- if ne (len $names) (len (without $names $name) | add1 | int) }}
    {{- fail (printf "%s: stands in more than one of services, backing and external; give each its own name" $name) }}
  {{- end }}
{{- end }}
{{- range $name, $service := .Values.services }}
  {{- range $service.needs }}
    {{- if not (has . $names) }}
      {{- fail (printf "services.%s.needs: %s is neither in services nor in backing nor in external, which have %s" $name . ($names | sortAlpha | join ", ")) }}
    {{- end }}
  {{- end }}
  {{- if gt (int $service.replicas.min) (int $service.replicas.max) }}
    {{- fail (printf "services.%s.replicas: min %v is above max %v" $name $service.replicas.min $service.replicas.max) }}
  {{- end }}
{{- end }}
{{- if and .Values.services (not (hasKey .Values.services .Values.entry.service)) }}
  {{- fail (printf "entry.service: %q is not in services, which has %s" .Values.entry.service (keys .Values.services | sortAlpha | join ", ")) }}
{{- end }}
{{- end }}
