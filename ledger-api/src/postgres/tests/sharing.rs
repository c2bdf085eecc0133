//! One server, several users of it, and servers that were killed.

use std::sync::Barrier;

use super::*;

#[tokio::test]
async fn a_fresh_durable_database_gives_nothing_up() {
    let dir = fresh();
    let cluster = open_with(dir.path(), &options(Mode::Durable)).unwrap();
    assert!(cluster.started_here());
    for name in ["fsync", "synchronous_commit", "full_page_writes", "data_checksums"] {
        assert_eq!(ask(&cluster, &format!("show {name}")).await, "on", "{name}");
    }
    assert_eq!(ask(&cluster, "show listen_addresses").await, "", "nothing on the network");
    assert_eq!(ask(&cluster, "show server_encoding").await, "UTF8");
    assert_eq!(ask(&cluster, "show max_connections").await, "20", "overridden");
    let major = ask(&cluster, "select current_setting('server_version_num')::int / 10000 || ''");
    assert_eq!(major.await, cluster.major().to_string());
    assert_eq!(cluster.stop_if_last().unwrap(), Stopped::InOrder);
}

#[tokio::test]
async fn a_throwaway_database_still_acknowledges_only_what_is_written() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    assert_eq!(ask(&cluster, "show fsync").await, "off");
    assert_eq!(ask(&cluster, "show synchronous_commit").await, "on");
}

#[tokio::test]
async fn the_last_one_stops_the_server_and_the_next_one_finds_the_data() {
    let dir = fresh();
    let first = throwaway(dir.path());
    let second = throwaway(dir.path());
    assert!(first.started_here() && !second.started_here());
    assert_eq!(first.postmaster_pid(), second.postmaster_pid());
    tell(&first, "postgres", "create table kept (n int)").await;

    assert_eq!(first.stop_if_last().unwrap(), Stopped::StillUsed);
    assert_eq!(ask(&second, "select count(*)::text from kept").await, "0", "it runs on");
    let pid = second.postmaster_pid().unwrap();
    assert_eq!(second.stop_if_last().unwrap(), Stopped::InOrder);
    // pg_ctl has waited until it let go of its folder; its very end is a moment later.
    until("its end", || !alive(pid));

    let third = throwaway(dir.path());
    assert!(third.started_here());
    assert_eq!(ask(&third, "select count(*)::text from kept").await, "0");
    let log = std::fs::read_to_string(third.log_file()).unwrap();
    assert!(!log.contains("recovery"), "it was stopped in order:\n{log}");
}

#[test]
fn dropping_stops_and_leaving_does_not() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    let pid = cluster.postmaster_pid().unwrap();
    cluster.leave_running();
    assert!(alive(pid));

    let found = throwaway(dir.path());
    assert!(!found.started_here());
    assert_eq!(found.postmaster_pid(), Some(pid));
    drop(found);
    until("the dropped cluster's server to end", || !alive(pid));
}

#[tokio::test]
async fn several_at_once_on_a_fresh_folder_make_one_server() {
    let dir = fresh();
    let together = Barrier::new(4);
    let clusters: Vec<Cluster> = thread::scope(|scope| {
        let open = || {
            together.wait();
            throwaway(dir.path())
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(clusters.iter().filter(|cluster| cluster.started_here()).count(), 1);
    for cluster in &clusters {
        assert_eq!(cluster.postmaster_pid(), clusters[0].postmaster_pid());
        assert_eq!(ask(cluster, "select 'here'").await, "here");
    }
}

#[tokio::test]
async fn a_killed_server_comes_back_with_what_it_acknowledged() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    tell(&cluster, "postgres", "create table kept (n int); insert into kept values (7)").await;
    assert!(!cluster.ensure_running().unwrap(), "nothing to do");

    let pid = cluster.postmaster_pid().unwrap();
    kill_9(pid);
    until("the server to be gone", || !cluster.is_running());
    assert!(cluster.ensure_running().unwrap(), "for a living process");
    assert_eq!(ask(&cluster, "select n::text from kept").await, "7");

    kill_9(cluster.postmaster_pid().unwrap());
    until("the server to be gone", || !cluster.is_running());
    let next = throwaway(dir.path());
    assert!(next.started_here(), "for the next process");
    assert_eq!(ask(&next, "select n::text from kept").await, "7");
    assert_eq!(ask(&cluster, "select n::text from kept").await, "7", "and for the one before");
}

#[tokio::test]
async fn a_killed_server_is_not_replaced_before_its_backends_are_gone() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    // This backend computes for ever and so does not notice that its postmaster is gone.
    let url = cluster.url("postgres", SUPERUSER);
    let busy = tokio::spawn(async move {
        let mut db = PgConnection::connect(&url).await.unwrap();
        let sum = "select count(*)::text from generate_series(1, 1000000) a,
                   generate_series(1, 1000000) b";
        sqlx::query_scalar::<_, String>(sum).fetch_one(&mut db).await
    });
    let running = "select coalesce(min(pid), 0)::text from pg_stat_activity
                   where query like 'select count(*)::text from generate_series%'
                   and state = 'active'";
    let began = Instant::now();
    let mut backend = 0;
    while backend == 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "the query does not run");
        backend = ask(&cluster, running).await.parse().unwrap();
    }
    kill_9(cluster.postmaster_pid().unwrap());
    until("the server to be gone", || !cluster.is_running());
    std::thread::scope(|threads| {
        let start = threads.spawn(|| cluster.ensure_running());
        let log = || std::fs::read_to_string(cluster.log_file()).unwrap_or_default();
        until("the start to have to wait", || log().contains("is still in use"));
        assert!(!start.is_finished(), "it did not wait");
        kill_9(backend);
        assert!(start.join().unwrap().unwrap());
    });
    busy.await.unwrap().unwrap_err();
    assert_eq!(ask(&cluster, "select 'here'").await, "here");
}

#[tokio::test]
async fn after_a_killed_server_there_is_nothing_to_stop() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    kill_9(cluster.postmaster_pid().unwrap());
    until("the server to be gone", || !cluster.is_running());
    assert_eq!(cluster.stop_if_last().unwrap(), Stopped::NotRunning);
}

fn alive(pid: i32) -> bool {
    rustix::process::test_kill_process(rustix::process::Pid::from_raw(pid).unwrap()).is_ok()
}
