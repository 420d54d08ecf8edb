# Courier: `start` configures it and starts its daemons, `run` runs the queue.
set -e
case $1 in
start)
    for user in jan tiny; do
        useradd -m -p x $user
        maildirmake.courier /home/$user/Maildir
        [ $user = jan ] || maildirmake.courier -q 2000S /home/$user/Maildir
        chown -R $user: /home/$user
    done
    install -d -o courier -g courier /run/courier
    install -d -o courier -g courier /run/courier/authdaemon
    cd /etc/courier
    echo mx.sender.test > me
    echo local.test > defaultdomain
    printf 'localhost\nlocal.test\n' > locals
    echo local.test > esmtpacceptmailfor.dir/default
    echo 'alias: unknown@remote.test' > aliases/system
    printf '127.0.0.1\tallow,RELAYCLIENT\n' > smtpaccess/default
    echo 15s > queuetime
    echo 5s > warntime
    echo 2s > retryalpha
    echo 1 > retrybeta
    echo 2s > retrygamma
    echo 0 > retrymaxdelta
    echo 3 > esmtptimeoutconnect
    echo 3 > esmtptimeouthelo
    echo 3 > esmtptimeout
    sed -i 's/^BOFHCHECKDNS=.*/BOFHCHECKDNS=0/; s/^MAXPERC=.*/MAXPERC=50/; s/^MAXPERIP=.*/MAXPERIP=50/' esmtpd
    makesmtpaccess
    makeacceptmailfor
    makealiases
    /usr/sbin/authdaemond start
    /usr/sbin/courierfilter start || :
    /usr/sbin/courier start
    /usr/sbin/esmtpd start
    ;;
run) courier flush ;;
esac
