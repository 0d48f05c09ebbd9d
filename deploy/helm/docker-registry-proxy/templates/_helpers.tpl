{{- define "drp.image" -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- end -}}

{{- define "drp.labels" -}}
app.kubernetes.io/name: docker-registry-proxy
app.kubernetes.io/component: {{ . }}
{{- end -}}
