//! The page's server: three addresses, read-only, for this machine alone. A client can neither hold a place for long nor make it
//! keep much.

use super::{Outside, page};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Clients at a time; others wait in the system's queue.
const PLACES: usize = 32;

/// A request's head is there after this.
const HEAD_WITHIN: Duration = Duration::from_secs(2);

/// And the answer gone after this.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// Bytes of a request that are kept, and its header lines; hyper refuses larger ones.
const LARGEST_HEAD: usize = 8 << 10;
const MOST_HEADERS: usize = 64;

/// Where the address is taken, it is asked for again: radiographs do not wait for a page.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Serves for as long as the process lives. What is served may end before: nothing is kept alive for a page's sake.
pub(super) fn run(address: SocketAddr, outside: &Weak<Outside>) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(serve(address, outside)),
        Err(error) => tracing::error!("there is no page: {error}"),
    }
}

async fn serve(address: SocketAddr, outside: &Weak<Outside>) {
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(error) => tracing::error!("there is no page at {address} ([http] listen): {error}; trying again"),
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    };
    if let (Ok(address), Some(outside)) = (listener.local_addr(), outside.upgrade()) {
        let _first = outside.page.set(address);
        tracing::info!("the page is at http://{address}/");
    }
    let places = Arc::new(Semaphore::new(PLACES));
    loop {
        let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
        let Ok((stream, _)) = listener.accept().await else {
            // out of descriptors, most likely: they come back
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Some(outside) = outside.upgrade() else { return };
        tokio::spawn(async move {
            // whoever is too slow has had his time
            let _over = tokio::time::timeout(GONE_WITHIN, attend(stream, &outside)).await;
            drop(place);
        });
    }
}

/// One request of one client.
async fn attend(stream: TcpStream, outside: &Outside) -> hyper::Result<()> {
    let service = service_fn(|request: hyper::Request<_>| {
        ready(Ok::<_, Infallible>(answer(request.method(), request.uri().path(), outside)))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

/// The answer to a request. Its body is never read.
pub fn answer(method: &Method, path: &str, outside: &Outside) -> Response<Full<Bytes>> {
    if ![Method::GET, Method::HEAD].contains(method) {
        let mut refused = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "This page is to be read.\n".to_owned());
        refused.headers_mut().insert(ALLOW, "GET, HEAD".parse().expect("plain ASCII"));
        return refused;
    }
    match path {
        "/" => response(StatusCode::OK, "text/html; charset=utf-8", page::of(&outside.snapshot())),
        "/metrics" => response(StatusCode::OK, PROMETHEUS, outside.metrics()),
        "/healthz" => match outside.snapshot().ills {
            none if none.is_empty() => json(StatusCode::OK, json!({"status": "well"})),
            ills => json(StatusCode::SERVICE_UNAVAILABLE, json!({"status": "unwell", "reasons": ills})),
        },
        _ => response(StatusCode::NOT_FOUND, TEXT, "There are /, /healthz and /metrics.\n".to_owned()),
    }
}

fn json(status: StatusCode, value: serde_json::Value) -> Response<Full<Bytes>> {
    response(status, "application/json", format!("{value}\n"))
}

fn response(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, kind)
        .header(CACHE_CONTROL, "no-store")
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(CONTENT_SECURITY_POLICY, page::POLICY)
        .body(Full::new(Bytes::from(body)))
        .expect("a valid header")
}
