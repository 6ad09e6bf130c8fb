//! A web service whose requests pass filters, which are plugins: see the README.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use polyplug::{CallError, Runtime};

/// A header of a request or an answer.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Header {
    /// The name; in requests it is in small letters.
    pub name: String,
    /// The value. Bytes of a request that are not UTF-8 are replaced.
    pub value: String,
}

/// What a filter knows of a request.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Head {
    /// The method, such as `GET`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The headers, in no particular order.
    pub headers: Vec<Header>,
}

/// What a filter says about a request.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum Verdict {
    /// The request goes to the next filter.
    Pass,
    /// The request is answered with an error, and goes no further.
    Reject {
        /// The status of the answer, from 400 to 599.
        status: u16,
        /// The text of the answer.
        reason: String,
    },
    /// The request goes to the next filter, and its answer gets headers.
    AddHeaders(Vec<Header>),
}

/// Decides about requests. Plugins are declared stateless: the service looks them up for each request, and that would make an
/// instance of any other.
#[polyplug::contract(name = "web.filter", version = "1.0")]
pub trait Filter {
    /// Decides about a request.
    fn check(&self, head: &Head) -> Verdict;
}

/// Returns a service that asks all filters of the runtime about each request, in the order in which they were loaded.
pub fn service(runtime: Arc<Runtime>) -> Router {
    Router::new()
        .route("/", get(async || "Hello!\n"))
        .route("/admin", get(async || "secrets\n"))
        .layer(from_fn_with_state(runtime, filter))
}

async fn filter(State(runtime): State<Arc<Runtime>>, request: Request, next: Next) -> Response {
    let head = head(&request);
    // A filter may take its time, which must not keep other requests from this thread.
    let asked = tokio::task::spawn_blocking(move || ask(&runtime, &head)).await;
    match asked.expect("the task neither panics nor is aborted") {
        Ok(headers) => {
            let mut response = next.run(request).await;
            response.headers_mut().extend(headers);
            response
        }
        Err((status, reason)) => (status, reason + "\n").into_response(),
    }
}

fn head(request: &Request) -> Head {
    let headers = request.headers().iter().map(|(name, value)| Header {
        name: name.to_string(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    });
    Head { method: request.method().to_string(), path: request.uri().path().to_owned(), headers: headers.collect() }
}

/// Asks the filters. Returns the headers that they add, or the answer to a request that is rejected.
///
/// A filter that fails, or says what cannot be carried out, lets nothing pass: the answer is 500, and the log says why.
fn ask(runtime: &Runtime, head: &Head) -> Result<HeaderMap, (StatusCode, String)> {
    let failed = |error: &dyn std::fmt::Display| {
        eprintln!("{} {}: {error}", head.method, head.path);
        (StatusCode::INTERNAL_SERVER_ERROR, "a filter failed".to_owned())
    };
    let mut added = HeaderMap::new();
    for filter in runtime.proxies::<dyn Filter>().map_err(|error| failed(&error))? {
        let verdict = match filter.check(head) {
            // The filter was removed meanwhile: those that there are now decide.
            Err(CallError::Unloaded(_)) => return ask(runtime, head),
            verdict => verdict.map_err(|error| failed(&error))?,
        };
        match verdict {
            Verdict::Pass => {}
            Verdict::Reject { status, reason } => {
                let error = |status: &StatusCode| status.is_client_error() || status.is_server_error();
                let status = StatusCode::from_u16(status).ok().filter(error);
                let status = status.ok_or_else(|| failed(&"a filter rejects with a status that is no error"))?;
                return Err((status, reason));
            }
            Verdict::AddHeaders(headers) => {
                for Header { name, value } in headers {
                    let name = HeaderName::try_from(name).map_err(|error| failed(&error))?;
                    added.append(name, HeaderValue::try_from(value).map_err(|error| failed(&error))?);
                }
            }
        }
    }
    Ok(added)
}
