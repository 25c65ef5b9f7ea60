#!/usr/bin/env bash
# A producer in the shell, without any client of Redis: it puts one job on FMgo's list.
#
#   FMGO_REDIS_URL=redis://:password@host:port/0 docs/examples/producer.sh < job.json
#
# It speaks RESP, Redis's protocol: an array of strings, each with its length in bytes. Exit 0: the job is on the list
# (the reply, its new length, is printed). It may be lost until FMgo has recorded it, so send it again, under the same
# idempotency_key, until a result appears.
set -euo pipefail
export LC_ALL=C # ${#text} then counts bytes, not characters

url=${FMGO_REDIS_URL:?set FMGO_REDIS_URL}
rest=${url#redis://}
credentials='' database=0
[[ $rest == *@* ]] && credentials=${rest%@*} rest=${rest##*@}
[[ $rest == */* ]] && database=${rest#*/} rest=${rest%%/*}
host=${rest%%:*} port=${rest##*:}
[[ $port == "$host" ]] && port=6379
user=${credentials%%:*} password=${credentials#*:}

command() { # writes one command
    printf '*%d\r\n' $# >&3
    for word; do printf '$%d\r\n%s\r\n' "${#word}" "$word" >&3; done
}

answer() { # reads one reply; anything but a status or a number is a failure
    local line
    IFS= read -r -t 5 line <&3 || { echo "no answer from $host:$port" >&2; exit 1; }
    line=${line%$'\r'}
    [[ $line == [+:]* ]] || { echo "$host:$port answered: $line" >&2; exit 1; }
    reply=${line:1}
}

job=$(cat)
exec 3<>"/dev/tcp/$host/$port"
if [[ -n $password ]]; then
    if [[ -n $user ]]; then command AUTH "$user" "$password"; else command AUTH "$password"; fi
    answer
fi
command SELECT "$database"
answer
command LPUSH fmgo.jobs "$job"
answer
exec 3>&-
echo "$reply"
