//! The floor of calls into JavaScript: what a host writes with rquickjs alone.

use rquickjs::{Context, Ctx, Function, Object, Persistent};

/// A context of rquickjs with saved functions.
pub(crate) struct ByHand {
    pub(crate) add: Persistent<Function<'static>>,
    pub(crate) greet: Persistent<Function<'static>>,
    #[allow(dead_code)] // one of the programs counts calls of the others only
    pub(crate) sum: Persistent<Function<'static>>,
    #[allow(dead_code)] // the same
    pub(crate) tree: Persistent<Function<'static>>,
    context: Context,
}

impl ByHand {
    /// Runs by_hand.js, and saves its functions.
    pub(crate) fn new() -> Self {
        let runtime = rquickjs::Runtime::new().expect("a runtime");
        let context = Context::full(&runtime).expect("a context");
        let [add, greet, sum, tree] = context.with(|ctx| {
            let all: Object<'_> = ctx.eval(include_str!("by_hand.js")).expect("the code runs");
            ["add", "greet", "sum", "tree"].map(|name| {
                let function: Function<'_> = all.get(name).expect("it has it");
                Persistent::save(&ctx, function)
            })
        });
        Self { add, greet, sum, tree, context }
    }

    /// Enters the context, restores a function, and passes it to `call`.
    pub(crate) fn call<R>(
        &self,
        function: &Persistent<Function<'static>>,
        call: impl for<'js> FnOnce(Ctx<'js>, Function<'js>) -> rquickjs::Result<R>,
    ) -> R {
        self.context.with(|ctx| {
            let function = function.clone().restore(&ctx).expect("it is this context's");
            call(ctx, function).expect("it answers")
        })
    }
}
