//! The accept loop, over real sockets.

use std::net::SocketAddr;

use axum::routing::get;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, oneshot},
    task::JoinHandle,
};

use super::*;
use crate::http::{ServerConfig, serve};

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<std::io::Result<()>>,
}

async fn start(router: Router, config: ServerConfig) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let done = tokio::spawn(serve(listener, router, config, async {
        stopped.await.ok();
    }));
    Running { address, stop, done }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(TIMEOUT, stream.read_to_end(&mut bytes));
    // A reset is an end as well.
    read.await.expect("the connection stayed open").ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

const HELLO: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn clients_that_say_nothing_or_too_little_are_dropped() {
    let config =
        ServerConfig { header_timeout: Duration::from_millis(100), ..ServerConfig::default() };
    let running = start(Router::new().route("/", get(async || "hello")), config).await;
    for start in [&b""[..], b"PRI * HT", b"GET / HTTP/1.1\r\nhost:"] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(start).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(!answer.contains("200"), "{answer}");
    }
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(HELLO).await.unwrap();
    assert!(rest(&mut stream).await.ends_with("hello"));
}

#[tokio::test]
async fn case_167_more_connections_than_allowed_wait() {
    let config = ServerConfig {
        connections_max: 1,
        header_timeout: Duration::from_millis(300),
        ..ServerConfig::default()
    };
    let running = start(Router::new().route("/", get(async || "hello")), config).await;
    let silent = TcpStream::connect(running.address).await.unwrap();
    let mut second = TcpStream::connect(running.address).await.unwrap();
    second.write_all(HELLO).await.unwrap();
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(100), second.read(&mut byte)).await;
    assert!(early.is_err(), "answered beside another connection");
    // The silent one is dropped after its time, and the next gets its turn.
    assert!(rest(&mut second).await.ends_with("hello"));
    drop(silent);
}

#[tokio::test]
async fn case_167_headers_are_bounded() {
    let running =
        start(Router::new().route("/", get(async || "hello")), ServerConfig::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let many = "x-filler: 1\r\n".repeat(200);
    stream.write_all(format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn case_44_a_stop_lets_requests_end_and_takes_no_new_ones() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (enter, left) = (Arc::clone(&entered), Arc::clone(&leave));
    let handler = async move || {
        enter.notify_one();
        left.notified().await;
        "done"
    };
    let running = start(Router::new().route("/", get(handler)), ServerConfig::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(HELLO).await.unwrap();
    entered.notified().await;
    running.stop.send(()).unwrap();
    // The listener closes while the request is under way.
    let closed = async {
        while TcpStream::connect(running.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TIMEOUT, closed).await.expect("it still listens");
    leave.notify_one();
    assert!(rest(&mut stream).await.ends_with("done"));
    tokio::time::timeout(TIMEOUT, running.done).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn case_44_a_stop_has_a_deadline() {
    let config =
        ServerConfig { shutdown_deadline: Duration::from_millis(50), ..ServerConfig::default() };
    let entered = Arc::new(Notify::new());
    let enter = Arc::clone(&entered);
    let handler = async move || {
        enter.notify_one();
        std::future::pending::<()>().await;
    };
    let running = start(Router::new().route("/", get(handler)), config).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(HELLO).await.unwrap();
    entered.notified().await;
    running.stop.send(()).unwrap();
    tokio::time::timeout(TIMEOUT, running.done).await.unwrap().unwrap().unwrap();
}
