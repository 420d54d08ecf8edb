# OpenSMTPD: `start` configures it and starts the daemon, `run` runs the queue.
set -e
case $1 in
start)
    for user in jan tiny; do useradd -m -p x $user; done
    echo 'alias: unknown@remote.test' > /etc/aliases
    cat > /etc/smtpd.conf <<'END'
table aliases file:/etc/aliases
listen on 127.0.0.1 port 25 hostname mx.sender.test
listen on socket
queue ttl 15s
bounce warn-interval 5s
smtp max-message-size 50M
action "local" mbox alias <aliases>
action "relay" relay helo mx.sender.test
match from any for domain "local.test" action "local"
match from any for any action "relay"
END
    smtpd
    ;;
run) smtpctl schedule all ;;
esac
