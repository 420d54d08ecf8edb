# Postfix: `start` configures it and starts the daemons, `run` runs the queue.
set -e
case $1 in
start)
    for user in jan tiny; do useradd -m -p x $user; done
    cat > /etc/postfix/main.cf <<'END'
compatibility_level = 3.6
myhostname = mx.sender.test
mydestination = local.test
inet_interfaces = 127.0.0.1, 192.0.2.10
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
maillog_file = /var/log/postfix.log
alias_maps = inline:{{alias = unknown@remote.test}}
alias_database =
local_recipient_maps =
maximal_queue_lifetime = 15s
delay_warning_time = 5s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
smtp_connect_timeout = 3s
smtp_helo_timeout = 3s
smtpd_relay_restrictions = permit_mynetworks, reject
transport_maps = inline:{{tiny@local.test = virtual:}}
virtual_mailbox_base = /var/mail
virtual_mailbox_domains =
virtual_mailbox_maps = inline:{{tiny@local.test = tiny}}
virtual_minimum_uid = 1
mailbox_size_limit = 20000
virtual_mailbox_limit = 20000
message_size_limit = 20000
virtual_uid_maps = static:8
virtual_gid_maps = static:8
END
    install -d -o mail -g mail /var/mail
    head -c 15000 /dev/zero | tr '\0' x > /var/mail/tiny
    chown mail:mail /var/mail/tiny
    postconf -F '*/*/chroot = n'
    postfix start
    ;;
run) postqueue -f ;;
esac
