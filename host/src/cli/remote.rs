//! Requests to the admin routes of the running server.

use crate::config::Config;
use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Uri, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Sends one request to the server at `HOST` and `PORT` and returns its JSON answer.
///
/// # Errors
/// `ADMIN_TOKEN` is not set, no server answers, or the server refuses the request.
pub(super) fn ask(
    config: &Config,
    method: Method,
    path: &str,
    parameters: &[(&str, String)],
    body: Vec<u8>,
) -> anyhow::Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(exchange(config, method, path, parameters, body))
}

async fn exchange(
    config: &Config,
    method: Method,
    path: &str,
    parameters: &[(&str, String)],
    body: Vec<u8>,
) -> anyhow::Result<Value> {
    let token = config.admin_token.as_ref().context(
        "the admin token is not set: give ADMIN_TOKEN the value that the server was started with",
    )?;
    let address = (config.host, config.port);
    let stream = TcpStream::connect(address).await.with_context(|| {
        format!(
            "no server answers at {}:{}: start it, or name its address with HOST and PORT",
            config.host, config.port
        )
    })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let query = serde_urlencoded::to_string(parameters)?;
    let target: Uri =
        if query.is_empty() { path.parse()? } else { format!("{path}?{query}").parse()? };
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, config.host.to_string())
        .header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()))
        .header(header::CONTENT_TYPE, "application/wasm")
        .body(Full::new(Bytes::from(body)))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let bytes = response.into_body().collect().await?.to_bytes();
    let answer: Value =
        serde_json::from_slice(&bytes).context("the server's answer is not JSON")?;
    if status.is_success() {
        return Ok(answer);
    }
    let detail = answer.get("detail").and_then(Value::as_str).unwrap_or("no detail").to_owned();
    bail!("the server refuses ({status}): {detail}")
}
