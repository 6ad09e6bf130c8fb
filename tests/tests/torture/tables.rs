//! The tricks.

use super::End::{Answer, Any, Error, Limit};
use super::Method::{List, Map, Number, Size, Text, Tree};
use super::{Trick, trick};

const NESTED: &[&str] = &["nested deeper than 128 levels"];

/// Results that contain themselves, or one part so often that no memory would hold the whole.
pub(crate) fn shapes() -> Vec<Trick> {
    vec![
        trick(Tree, Error(NESTED))
            .lua("local t = { name = 'a' } t.children = { t } return t")
            .js("const t = { name: 'a' }; t.children = [t]; return t")
            .python("t = {'name': 'a'}\nt['children'] = [t]\nreturn t"),
        trick(Tree, Error(NESTED))
            .lua("local t = { name = 'a', children = {} } for i = 1, 1e5 do t = { name = 'a', children = { t } } end return t")
            .js("let t = { name: 'a', children: [] }; for (let i = 0; i < 1e5; i++) t = { name: 'a', children: [t] }; return t")
            .python("t = {'name': 'a', 'children': []}\nfor i in range(100_000): t = {'name': 'a', 'children': [t]}\nreturn t"),
        // A list that is its own element has an element of another type.
        trick(List, Error(&["expected u32"]))
            .lua("local t = {} t[1] = t return t")
            .js("const t = []; t[0] = t; return t")
            .python("t = []\nt.append(t)\nreturn t"),
        // A few kilobytes that are 2^100 nodes.
        trick(Tree, Error(&["longer than", "more memory", "too large", "too many", "takes longer"])).limited()
            .lua("local t = { name = 'a', children = {} } for i = 1, 100 do t = { name = 'a', children = { t, t } } end return t")
            .js("let t = { name: 'a', children: [] }; for (let i = 0; i < 100; i++) t = { name: 'a', children: [t, t] }; return t")
            .python("t = {'name': 'a', 'children': []}\nfor i in range(100): t = {'name': 'a', 'children': [t, t]}\nreturn t"),
    ]
}

/// Lengths that are lies, or true and too great.
pub(crate) fn lengths() -> Vec<Trick> {
    vec![
        trick(List, Any)
            .lua("return setmetatable({}, { __len = function() return 2 ^ 53 end })")
            .js("return { length: 2 ** 53 - 1 }")
            .python("class A(list):\n def __len__(self): return 2**62\nreturn A([1])"),
        trick(List, Any)
            .lua("return setmetatable({}, { __len = function() return -1 end })")
            .js("return { length: -1 }")
            .python("class A(list):\n def __len__(self): return -1\nreturn A([1])"),
        trick(List, Error(&["result", "takes longer"]))
            .limited()
            .lua("return { [2 ^ 40] = 1 }")
            .js("const t = []; t[2 ** 32 - 2] = 1; return t")
            .python("class A:\n def __len__(self): return 2**62\n def __getitem__(self, i): return 'x'\nreturn A()"),
        trick(List, Error(&["memory", "longer", "too"]))
            .limited()
            .lua("local t = {} for i = 1, 1e9 do t[i] = i end return t")
            .js("const t = []; for (let i = 0; ; i++) t.push(i)"),
        trick(Text, Error(&["memory", "long", "too"]))
            .limited()
            .lua("local x = 'x' while true do x = x .. x end")
            .js("let x = 'x'; for (;;) x += x"),
        trick(Text, Error(&["MemoryError", "OverflowError"])).python("return 'x' * (2**62)"),
        trick(Map, Error(&["result"]))
            .lua("return setmetatable({ [1] = 1 }, {})")
            .js("return new Proxy({}, { ownKeys() { return Array(1e5).fill(0).map((_, i) => 'k' + i); } , \
                 getOwnPropertyDescriptor() { return { value: 'x', enumerable: true, configurable: true }; } })")
            .python("class A(dict):\n def items(self): return [(1, 2)] * 3\nreturn A({1: 2})"),
    ]
}

/// Arguments and results that change while they are used.
pub(crate) fn changes() -> Vec<Trick> {
    vec![
        trick(Size, Answer("0"))
            .lua("for i = #given, 1, -1 do given[i] = nil end log('x') return #given")
            .js("given.length = 0; log('x'); return given.length")
            .python("given.clear()\nlog('x')\nreturn len(given)"),
        trick(Size, Any)
            .lua("given[1] = given return #given[1][1][1]")
            .js("given[0] = given; return given[0][0][0].length")
            .python("given[0] = given\nreturn len(given[0][0][0])"),
        // A part of the result is changed while another is read.
        trick(Tree, Any)
            .lua("local list = {} for i = 1, 100 do list[i] = setmetatable({ children = {} }, { __index = function(t, k)
                    for j = 1, 100 do list[j] = nil end collectgarbage() return 'a' end }) end
                  return { name = 'a', children = list }")
            .js("const list = []; for (let i = 0; i < 100; i++) list.push({ children: [], get name() { list.length = 0; return 'a'; } });
                 return { name: 'a', children: list }")
            .python("items = []\nclass A(dict):\n def __getitem__(self, k):\n  items.clear()\n  return 'a' if k == 'name' else []\n def get(self, k, d=None): return self[k]\n\
                     items.extend(A() for _ in range(100))\nreturn {'name': 'a', 'children': items}"),
        trick(Tree, Any)
            .python("items = []\nclass A:\n children = []\n @property\n def name(self):\n  items.clear()\n  return 'a'\n\
                     items.extend(A() for _ in range(100))\nreturn {'name': 'a', 'children': items}"),
        trick(Map, Any)
            .js("const map = new Map([['a', 1]]); map[Symbol.iterator] = function* () { for (let i = 0; i < 1000; i++) yield ['a' + i, i]; \
                 map.clear(); }; return map")
            .python("class K(str):\n def __hash__(self): d.clear(); return 1\n def __eq__(self, o): d.clear(); return True\nd = {}\n\
                     for i in range(50): d[str(i)] = i\nd2 = dict(d)\nd2[K('x')] = 1\nreturn d2"),
    ]
}

/// What runs when an object goes: it fails, calls the host, or makes more of itself. In Lua it catches its errors: one that
/// leaves a finaliser damages the stack of the code that it interrupts, by a fault of LuaJIT. Only the full library has them.
pub(crate) fn finalisers() -> Vec<Trick> {
    vec![
        trick(Number, Answer("1")).all_of_lua()
            .lua("for i = 1, 100 do local p = newproxy(true) getmetatable(p).__gc = function() pcall(error, 'in the end') end end collectgarbage() return 1")
            .js("globalThis.registry = new FinalizationRegistry(() => { throw new Error('in the end'); }); \
                 for (let i = 0; i < 100; i++) registry.register({}, i); return 1")
            .python("import gc\nclass A:\n def __del__(self): raise ValueError('in the end')\nfor _ in range(3):\n a = A()\n a.a = a\n del a\n\
                     gc.collect()\nreturn 1"),
        // At the end of the bundle, when there is no call.
        trick(Number, Answer("1")).all_of_lua()
            .lua("self.kept = newproxy(true) getmetatable(self.kept).__gc = function() pcall(log, 'in the end') end return 1")
            .js("globalThis.registry = new FinalizationRegistry(() => log('in the end')); \
                 globalThis.kept = {}; registry.register(kept, 1); return 1")
            .python("class A:\n def __del__(self):\n  log('in the end')\n  raise ValueError('x')\nglobal kept\nkept = A()\nself.kept = A()\nreturn 1"),
        // One that makes another, whenever it goes.
        trick(Number, Answer("1")).all_of_lua()
            .lua("local function make() local p = newproxy(true) getmetatable(p).__gc = function() make() end return p end \
                  self.kept = make() for i = 1, 10 do make() end collectgarbage() return 1")
            .python("class A:\n def __del__(self): type(self)()\n def __init__(self):\n  A.count = getattr(A, 'count', 0) + 1\n  if A.count > 1000: del A.__del__\n\
                     A()\nreturn 1"),
        // One that comes back to life.
        trick(Number, Answer("1")).all_of_lua()
            .lua("local p = newproxy(true) getmetatable(p).__gc = function(p) self.back = p end collectgarbage() collectgarbage() return 1")
            .python("import gc\nback = []\nclass A:\n def __del__(self): back.append(self)\nfor _ in range(10): A()\ngc.collect()\nself.back = back\nreturn len(back) // 10"),
        // In the middle of a call of the host.
        trick(Number, Answer("1")).all_of_lua()
            .lua("local p = newproxy(true) getmetatable(p).__gc = function() pcall(log, 'inner') end p = nil \
                  for i = 1, 200 do newproxy(true) log(('x'):rep(1000)) collectgarbage('step') end return 1")
            .python("import gc\nclass A:\n def __del__(self): log('inner')\nfor i in range(50):\n a = A()\n a.a = a\n log('x' * 1000)\n gc.collect()\nreturn 1"),
    ]
}

/// Loops without an end, under a limit.
pub(crate) fn endless() -> Vec<Trick> {
    vec![
        trick(Number, Limit).limited().lua("while true do end").js("for (;;);").python("while True: pass"),
        trick(Number, Limit)
            .limited()
            .lua("while true do log('x') end")
            .js("for (;;) log('x')")
            .python("while True: log('x')"),
        // While the result is read.
        trick(Text, Limit)
            .limited()
            .js("return { toString() { for (;;); } } + ''")
            .python("class A:\n def __str__(self):\n  while True: pass\nreturn str(A())"),
        trick(Tree, Any)
            .limited()
            .lua("return setmetatable({}, { __index = function() while true do end end })")
            .js("return { get name() { for (;;); }, children: [] }")
            .python("class A:\n children = []\n @property\n def name(self):\n  while True: pass\nreturn A()"),
        trick(List, Any)
            .limited()
            .js("return { [Symbol.iterator]() { return { next() { return { value: 1, done: false }; } }; } }")
            .python("import itertools\nreturn itertools.repeat(1)"),
    ]
}

/// Loops that catch the error of the limit and go on.
pub(crate) fn swallowed() -> Vec<Trick> {
    vec![
        trick(Number, Limit).limited()
            .lua("while true do pcall(function() while true do end end) end")
            .js("for (;;) { try { for (;;); } catch {} }")
            .python("while True:\n try:\n  while True: len('')\n except BaseException: pass"),
        trick(Number, Limit).limited()
            .lua("while true do xpcall(function() while true do end end, function() while true do end end) end")
            .js("for (;;) { try { for (;;); } finally { for (;;); } }")
            .python("while True:\n try:\n  while True: len('')\n finally:\n  while True: len('')"),
        // From the host's side of a call.
        trick(Number, Limit).limited()
            .lua("while true do pcall(log, 'x') end")
            .js("for (;;) { try { log('x'); } catch {} }")
            .python("while True:\n try: log('x')\n except BaseException: pass"),
        // The lack of memory.
        trick(Number, Error(&["memory", "takes longer"])).limited()
            .lua("local t = {} while true do pcall(function() while true do t[#t + 1] = ('x'):rep(1000) .. #t end end) end")
            .js("const t = []; for (;;) { try { for (;;) t.push(new Array(1000).fill(1)); } catch {} }"),
        // And the lack of stack.
        trick(Number, Error(&["takes longer", "stack"])).limited()
            .lua("local function f() return 1 + f() end while true do pcall(f) end")
            .js("const f = () => 1 + f(); for (;;) { try { f(); } catch {} }")
            .python("def f(): return 1 + f()\nwhile True:\n try: f()\n except RecursionError: pass"),
    ]
}

/// Coroutines, generators and promises in places where nobody expects them.
pub(crate) fn suspended() -> Vec<Trick> {
    vec![
        // What is returned is none of it.
        trick(Number, Error(&["result", "yield"]))
            .lua("return coroutine.create(function() end)")
            .js("return (function* () { yield 1; })()")
            .python("def f(): yield 1\nreturn f()"),
        // The method itself is suspended, and nobody resumes it.
        trick(Number, Error(&["yield", "result", "promise", "coroutine"]))
            .lua("return coroutine.yield(1)")
            .js("return new Promise(() => {})")
            .python("async def f(): return 1\nreturn f()"),
        // The host is called within, and the rest follows in another call.
        trick(Number, Answer("2"))
            .lua("self.co = self.co or coroutine.wrap(function() while true do coroutine.yield(log('ab')) end end) return self.co()")
            .js("self.co ??= (function* () { for (;;) yield log('ab'); })(); return self.co.next().value")
            .python("def f():\n while True: yield log('ab')\nself.co = getattr(self, 'co', None) or f()\nreturn next(self.co)"),
        // One that resumes itself, or the one that resumed it.
        trick(Number, Answer("1"))
            .lua("local c c = coroutine.create(function() return coroutine.resume(c) end) coroutine.resume(c) return 1")
            .js("let g; g = (function* () { try { g.next(); } catch {} yield 1; })(); return g.next().value")
            .python("def f():\n try: next(g)\n except ValueError: pass\n yield 1\ng = f()\nreturn next(g)"),
        // One that will not be closed.
        trick(Number, Answer("1"))
            .lua("self.c = coroutine.create(function() while true do pcall(coroutine.yield) end end) coroutine.resume(self.c) return 1")
            .js("const g = (function* () { for (;;) { try { yield 1; } finally { continue; } } })(); g.next(); g.return(); self.g = g; return 1")
            .python("def f():\n while True:\n  try: yield 1\n  except GeneratorExit: pass\ng = f()\nnext(g)\nself.g = g\nreturn 1"),
        trick(Number, Limit).limited()
            .lua("local c = coroutine.wrap(function() while true do pcall(function() while true do end end) end end) while true do pcall(c) end")
            .js("const g = () => (function* () { for (;;) { try { for (;;); } finally { continue; } } })(); for (;;) { try { g().next(); } catch {} }")
            .python("def f():\n while True:\n  try:\n   while True: len('')\n  except BaseException: pass\n  yield 1\nfor x in f(): pass"),
        // So many that a stack for each does not fit.
        trick(Number, Any).limited()
            .lua("local kept = {} for i = 1, 1e6 do local c = coroutine.create(function() coroutine.yield() end) coroutine.resume(c) kept[i] = c end return 1")
            .js("const kept = []; for (let i = 0; i < 1e6; i++) { const g = (function* () { yield 1; })(); g.next(); kept.push(g); } return 1"),
    ]
}

/// Errors that fail when they are looked at.
pub(crate) fn errors() -> Vec<Trick> {
    vec![
        trick(Number, Error(&["test.torture.number"]))
            .lua("error(setmetatable({}, { __tostring = function() error('again') end }))")
            .js("throw { toString() { throw new Error('again'); }, get message() { throw this; } }")
            .python("class A(Exception):\n def __str__(self): raise self\n __repr__ = __str__\nraise A()"),
        trick(Number, Error(&["test.torture.number"]))
            .lua("error(nil)")
            .js("throw undefined")
            .python("raise BaseException"),
        trick(Number, Error(&["test.torture.number"]))
            .lua("error(('x'):rep(1e7))")
            .js("throw new Error('x'.repeat(1e7))")
            .python("raise ValueError('x' * 10_000_000)"),
        trick(Number, Error(&["test.torture.number"]))
            .lua("local t = {} t.cause = t error(t)")
            .js("const e = new Error('a'); e.cause = e; throw e")
            .python("e = ValueError('a')\nf = ValueError('b')\ne.__cause__ = f\nf.__cause__ = e\nraise e"),
        // The end of the program.
        trick(Number, Error(&["test.torture.number"]))
            .lua("os.exit(3)")
            .python("import sys\nsys.exit(3)"),
        trick(Number, Error(&["test.torture.number"])).python("raise KeyboardInterrupt"),
        trick(Number, Error(&["test.torture.number"])).python("raise StopIteration"),
        // The proxies and the module are not the plugin's to change.
        trick(Number, Any)
            .lua("for key in pairs(require('polyplug')) do pcall(function() require('polyplug')[key] = nil end) end return 1"),
    ]
}

/// Recursion without an end, in the language alone and through the host.
pub(crate) fn depths() -> Vec<Trick> {
    vec![
        trick(Number, Error(&["stack", "recursion", "RecursionError"]))
            .lua("local function f() return 1 + f() end return f()")
            .js("const f = () => 1 + f(); return f()")
            .python("def f(): return 1 + f()\nreturn f()"),
        trick(Number, Error(&["stack", "recursion", "RecursionError", "C stack overflow"]))
            .lua("local function f() return coroutine.wrap(f)() end return f()")
            .js("function* f() { yield* f(); } return f().next().value")
            .python("def f(): yield from f()\nreturn next(f())"),
        trick(Number, Error(&["stack", "recursion", "RecursionError", "loop"]))
            .lua("local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k] + 1 end return t.x")
            .js("const p = new Proxy({}, { get(_, k, r) { return r[k]; } }); return p.x")
            .python("class A:\n def __getattr__(self, k): return getattr(self, k + 'x')\nreturn A().x"),
        trick(Number, Error(&["stack", "recursion", "RecursionError", "complex", "large", "nest"]))
            .lua("local s = ('x'):rep(5e4, '.') .. ('(' ):rep(5e4) return assert(load(s))()")
            .js("return new Function('return ' + '('.repeat(1e5) + ')'.repeat(1e5))()"),
        trick(Number, Any)
            .lua("return ('a'):rep(1e5):find(('a?'):rep(1e4) .. ('a'):rep(1e4)) or 1")
            .js("return /^(a|a)*$/.test('a'.repeat(1e5)) ? 1 : 0")
            .python("import re\nreturn 1 if re.match('(?:a|a)*', 'a' * 1000) else 0"),
    ]
}
