{{- define "carnet-admission.user" -}}system:serviceaccount:{{ .Release.Namespace }}:carnet-admission{{- end -}}

{{- define "carnet-admission.selector" -}}
app.kubernetes.io/name: carnet-admission
app.kubernetes.io/part-of: carnet
{{- end -}}

{{- define "carnet-admission.subjects" -}}
- kind: ServiceAccount
  name: carnet-admission
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* The gates by name, in one line. A gate that nobody asks needs no listener of its own: the webhook answers whether it is asked or not. */}}
{{- define "carnet-admission.gates" -}}
{{- $gates := list -}}
{{- if .Values.gates.approver }}{{ $gates = append $gates "approver" }}{{ end -}}
{{- $gates = append $gates "webhook" -}}
{{- if .Values.gates.controller }}{{ $gates = append $gates "controller" }}{{ end -}}
{{- join "," $gates -}}
{{- end -}}

{{/* The settings' file. What the chart decides goes before what is given. */}}
{{- define "carnet-admission.settings" -}}
{{- $own := dict
  "audience" .Values.audience
  "issuer" .Values.issuer
  "listen" "0.0.0.0:8643"
  "tls-certificate" "/etc/carnet/tls/tls.crt"
  "tls-private-key" "/etc/carnet/tls/tls.key"
  "metrics-listen" "0.0.0.0:9466"
  "gates" (include "carnet-admission.gates" . | splitList ",")
  "client-rate" 0
  "drain-seconds" 10 -}}
{{- merge $own .Values.settings | toYaml -}}
{{- end -}}
