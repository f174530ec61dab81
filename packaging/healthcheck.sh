#!/bin/bash
# Whether the Godwit in this container can serve: it asks /readyz over HTTP, then over HTTPS. Bash and openssl do it, which the image has anyway.
# GODWIT_PORT says at which port, 8460 when it is not set.
port=${GODWIT_PORT:-8460}
request=$'GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n'

over_http() {
    exec 3<>"/dev/tcp/127.0.0.1/$port" && printf '%s' "$request" >&3 && head -n 1 <&3
}

# The name in the certificate is that of the outside, so it is not looked at.
over_https() {
    printf '%s' "$request" | openssl s_client -quiet -connect "127.0.0.1:$port" | head -n 1
}

export port request
export -f over_http over_https
for way in over_http over_https; do
    # A port that speaks HTTPS lets HTTP wait.
    answer=$(timeout 2 bash -c "$way" 2>/dev/null)
    [[ $answer == 'HTTP/1.'?' 200'* ]] && exit 0
done
exit 1
