//! The program: serves, and follows what becomes of the filters in a folder.
//!
//! Usage: web-service [FOLDER [ADDRESS]]

use std::env::args;

use anyhow::Context;
use polyplug::Runtime;
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use tokio::net::TcpListener;
use web_service::service;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = args().nth(1).unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/filters").to_owned());
    let address = args().nth(2).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let runtime = Runtime::builder()
        .loader(LuaLoader::new())
        .loader(JsLoader::new())
        .hot_reload(true)
        .on_event(|event| println!("{event}"))
        .build()?;
    let watcher = runtime.watch_dir(&folder)?;
    if let Some(report) = watcher.report()
        && !report.problems.is_empty()
    {
        // Without one of its filters, the service would let pass what it must not.
        anyhow::bail!("{report}");
    }
    let listener = TcpListener::bind(&address).await.with_context(|| format!("cannot listen at {address}"))?;
    println!("listening at http://{}", listener.local_addr()?);
    axum::serve(listener, service(runtime)).await?;
    Ok(())
}
