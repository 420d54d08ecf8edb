# Sendmail: `start` configures it and starts the daemon, `run` runs the queue.
set -e
case $1 in
start)
    for user in jan tiny; do useradd -m -p x $user; done
    mount -t tmpfs -o size=8k,mode=1777 tmpfs /var/mail  # too small for the mail to tiny
    cat > /etc/mail/sendmail.mc <<'END'
define(`_USE_ETC_MAIL_')dnl
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
DOMAIN(`debian-mta')dnl
define(`confTO_QUEUERETURN', `15s')dnl
define(`confTO_QUEUEWARN', `5s')dnl
define(`confTO_CONNECT', `3s')dnl
define(`confTO_ICONNECT', `3s')dnl
define(`confTO_INITIAL', `3s')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confPRIVACY_FLAGS', `')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`nouucp', `reject')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA, Port=smtp, Addr=127.0.0.1')dnl
LOCAL_DOMAIN(`local.test')dnl
FEATURE(`local_procmail', `/usr/bin/procmail', `procmail -Y -a $h -d $u')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
END
    m4 /etc/mail/sendmail.mc > /etc/mail/sendmail.cf
    rm -f /etc/aliases /etc/mail/aliases
    echo 'alias: unknown@remote.test' > /etc/mail/aliases
    echo 'Connect:127.0.0.1 RELAY' > /etc/mail/access
    mkdir -p /var/run/sendmail/mta /var/lib/sendmail/host_status
    newaliases
    /usr/sbin/sendmail -bd
    ;;
run) /usr/sbin/sendmail -q ;;
esac
