//! JavaScript by hand with rquickjs.

use std::path::Path;

use anyhow::Result;
use rquickjs::{Context, Function, Object, Persistent, Runtime, TypedArray};

pub(crate) struct Plugin {
    add: Persistent<Function<'static>>,
    greet: Persistent<Function<'static>>,
    sum: Persistent<Function<'static>>,
    context: Context,
}

pub(crate) fn load(file: &Path) -> Result<Plugin> {
    let code = std::fs::read(file)?;
    let context = Context::full(&Runtime::new()?)?;
    let [add, greet, sum] = context.with(|ctx| {
        let calculator: Object<'_> = ctx.eval(code)?;
        let save = |name: &str| {
            let function: Function<'_> = calculator.get(name)?;
            rquickjs::Result::Ok(Persistent::save(&ctx, function))
        };
        rquickjs::Result::Ok([save("add")?, save("greet")?, save("sum")?])
    })?;
    Ok(Plugin { add, greet, sum, context })
}

impl super::Calculator for Plugin {
    fn add(&mut self, a: i32, b: i32) -> Result<i32> {
        self.context.with(|ctx| Ok(self.add.clone().restore(&ctx)?.call((a, b))?))
    }

    fn greet(&mut self, name: &str) -> Result<String> {
        self.context.with(|ctx| Ok(self.greet.clone().restore(&ctx)?.call((name,))?))
    }

    fn sum(&mut self, data: &[u8]) -> Result<u64> {
        self.context.with(|ctx| {
            let data = TypedArray::new_copy(ctx.clone(), data)?;
            Ok(self.sum.clone().restore(&ctx)?.call((data,))?)
        })
    }
}
