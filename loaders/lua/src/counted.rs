//! Programs that count their steps, so that they can be ended while they run as machine code.
//!
//! LuaJIT calls no hooks in code that it has compiled. So a statement is added to each place that a program which never ends
//! passes again and again: where the body of a loop or a function begins, and before each `goto`. The statement counts down,
//! and calls a function once nothing is left:
//!
//! ```lua
//! while true do _n=_n-1 if _n<0 then _n=_f()end; work() end
//! ```
//!
//! The variables are local to a function around the program, which has no other way to them. Lines keep their numbers.

/// The names of the variables that may be tried, as a program may have one of these names itself.
const NAMES: u8 = 16;

/// Returns the text of a program that takes a function and returns the program of `text`, which counts its steps: it calls
/// the function now and then, which returns the number of steps up to the next call of it.
///
/// Returns `None` if the text is no program, or uses all names that the variables may have.
pub(crate) fn counted(text: &[u8]) -> Option<Vec<u8>> {
    let text = without_first_line(text);
    let suffix = (0..NAMES).find(|suffix| {
        let name = format!("_polyplug{suffix:x}");
        !text.windows(name.len()).any(|part| part == name.as_bytes())
    })?;
    let (left, ask) = (format!("_polyplug{suffix:x}n"), format!("_polyplug{suffix:x}f"));
    // The semicolon is one more than there may be where the text has one.
    let step = format!(" {left}={left}-1 if {left}<0 then {left}={ask}()end; ");

    let mut out = format!("local {left},{ask}=0,... return function(...) ").into_bytes();
    let mut lexer = Lexer { text, at: 0 };
    // The text up to here is in `out`.
    let mut copied = 0;
    let mut add = |out: &mut Vec<u8>, at: usize| {
        out.extend_from_slice(&text[copied..at]);
        out.extend_from_slice(step.as_bytes());
        copied = at;
    };
    // How many blocks the text is in. An `end` of none would end the function around the program.
    let mut blocks = 0_u32;
    let mut in_parameters = false;
    let mut before = Token::Other;
    loop {
        let begin = lexer.skip_blank()?;
        let Some(token) = lexer.next()? else { break };
        match token {
            Token::Word(b"function") => {
                blocks += 1;
                in_parameters = true;
            }
            Token::Byte(b')') if in_parameters => {
                in_parameters = false;
                add(&mut out, lexer.at);
            }
            Token::Word(b"do" | b"repeat") => {
                blocks += 1;
                add(&mut out, lexer.at);
            }
            Token::Word(b"if") => blocks += 1,
            Token::Word(b"end" | b"until") => blocks = blocks.checked_sub(1)?,
            // `goto` may be a name as well. No statement begins after these tokens. Elsewhere, where it is a name and looks like a
            // jump, the program does not compile with a step.
            Token::Word(b"goto")
                if !matches!(before, Token::Word(b"local") | Token::Byte(b',')) && lexer.is_before_word() =>
            {
                add(&mut out, begin);
            }
            _ => {}
        }
        before = token;
    }
    out.extend_from_slice(&text[copied..]);
    // The last line may be a comment.
    out.extend_from_slice(b"\nend");
    (blocks == 0).then_some(out)
}

/// Returns the text without what Lua skips at its beginning: the mark of a byte order, and a line for the system's shell. The
/// line's end stays.
fn without_first_line(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if !text.starts_with(b"#") {
        return text;
    }
    let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    &text[end.unwrap_or(text.len())..]
}

/// A token of Lua, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// A name or a keyword.
    Word(&'a [u8]),
    /// A byte that is a token, or a part of one.
    Byte(u8),
    /// A number, a string, or several dots.
    Other,
}

/// Splits a text into tokens, as LuaJIT does. The functions return `None` where the text is no program.
#[derive(Clone)]
struct Lexer<'a> {
    text: &'a [u8],
    /// The number of bytes that were read.
    at: usize,
}

impl<'a> Lexer<'a> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// Moves past blanks and comments, and returns the place there.
    fn skip_blank(&mut self) -> Option<usize> {
        loop {
            match self.peek(0) {
                Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) => self.at += 1,
                Some(b'-') if self.peek(1) == Some(b'-') => {
                    self.at += 2;
                    if !self.skip_long()? {
                        self.skip_while(|byte| !matches!(byte, b'\n' | b'\r'));
                    }
                }
                _ => return Some(self.at),
            }
        }
    }

    fn skip_while(&mut self, is_part: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&is_part) {
            self.at += 1;
        }
    }

    /// Moves past a string or comment in long brackets. Returns `Some(false)` if there is none.
    fn skip_long(&mut self) -> Option<bool> {
        let level = self.text[self.at..].iter().skip(1).take_while(|byte| **byte == b'=').count();
        if self.peek(0) != Some(b'[') || self.peek(level + 1) != Some(b'[') {
            return Some(false);
        }
        self.at += level + 2;
        loop {
            self.skip_while(|byte| byte != b']');
            self.peek(0)?;
            self.at += 1;
            let found = self.text[self.at..].iter().take_while(|byte| **byte == b'=').count();
            self.at += found;
            if found == level && self.peek(0) == Some(b']') {
                self.at += 1;
                return Some(true);
            }
        }
    }

    /// Moves past the token at this place, where no blank is. Returns `Some(None)` at the end of the text.
    fn next(&mut self) -> Option<Option<Token<'a>>> {
        let begin = self.at;
        let Some(first) = self.peek(0) else { return Some(None) };
        Some(Some(match first {
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            b'.' if self.peek(1) == Some(b'.') => {
                self.skip_while(|byte| byte == b'.');
                Token::Other
            }
            b'"' | b'\'' => {
                self.string(first)?;
                Token::Other
            }
            b'[' if self.skip_long()? => Token::Other,
            _ if is_word(first) => {
                self.skip_while(is_word);
                Token::Word(&self.text[begin..self.at])
            }
            _ => {
                self.at += 1;
                Token::Byte(first)
            }
        }))
    }

    /// Moves past a number. Like LuaJIT, takes all that could be part of one, and leaves it to the compiler whether it is one.
    fn number(&mut self) -> Token<'a> {
        let is_hexadecimal = self.peek(0) == Some(b'0') && self.peek(1).is_some_and(|byte| byte | 0x20 == b'x');
        let exponent = if is_hexadecimal { b'p' } else { b'e' };
        let mut last = 0;
        while let Some(byte) = self.peek(0)
            && (is_word(byte) || byte == b'.' || matches!(byte, b'-' | b'+') && last | 0x20 == exponent)
        {
            last = byte;
            self.at += 1;
        }
        Token::Other
    }

    /// Moves past a string that begins and ends with `quote`.
    fn string(&mut self, quote: u8) -> Option<()> {
        self.at += 1;
        loop {
            let byte = self.peek(0)?;
            self.at += 1;
            match byte {
                b'\n' | b'\r' => return None,
                b'\\' => match self.peek(0)? {
                    // Skips all blanks that follow.
                    b'z' => {
                        self.at += 1;
                        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c));
                    }
                    // An end of a line may be of two bytes.
                    b'\r' if self.peek(1) == Some(b'\n') => self.at += 2,
                    b'\n' if self.peek(1) == Some(b'\r') => self.at += 2,
                    _ => self.at += 1,
                },
                _ if byte == quote => return Some(()),
                _ => {}
            }
        }
    }

    /// Returns whether the next token is a name or a keyword.
    fn is_before_word(&self) -> bool {
        let mut ahead = self.clone();
        ahead.skip_blank().is_some() && ahead.peek(0).is_some_and(|byte| is_word(byte) && !byte.is_ascii_digit())
    }
}

/// Returns whether a byte may be part of a name.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use std::ffi::c_int;

    use mlua::ffi::{self, lua_State};
    use proptest::prelude::*;

    use super::*;
    use crate::program::{self, BareVm};
    use crate::text::text_at;

    /// Runs a program that may make `steps` steps each time that it asks. Returns how often it asked, which ends with an error
    /// beyond a thousand.
    fn times_asked(text: &str, steps: c_int) -> c_int {
        unsafe extern "C-unwind" fn ask(lua: *mut lua_State) -> c_int {
            // SAFETY: Lua calls the function, a closure of two numbers.
            unsafe {
                let asked = ffi::lua_tointeger(lua, ffi::lua_upvalueindex(1)) + 1;
                ffi::lua_pushinteger(lua, asked);
                ffi::lua_replace(lua, ffi::lua_upvalueindex(1));
                ffi::lua_pushinteger(lua, asked);
                ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, c"asked".as_ptr());
                if asked > 1000 {
                    return ffi::luaL_error(lua, c"too many".as_ptr());
                }
                ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(2));
            }
            1
        }
        let vm = BareVm::new().unwrap();
        let text = counted(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
        // SAFETY: the VM is valid until dropped. Each error is caught by a protected call.
        unsafe {
            ffi::luaL_openlibs(vm.0);
            assert_eq!(program::load(vm.0, &text, c"=text"), ffi::LUA_OK, "{}", text_at(vm.0, -1));
            ffi::lua_pushinteger(vm.0, 0);
            ffi::lua_pushinteger(vm.0, steps as ffi::lua_Integer);
            ffi::lua_pushcclosure(vm.0, ask, 2);
            assert_eq!(ffi::lua_pcall(vm.0, 1, 1, 0), ffi::LUA_OK);
            if ffi::lua_pcall(vm.0, 0, 0, 0) != ffi::LUA_OK {
                let error = text_at(vm.0, -1);
                assert!(error.ends_with("too many"), "{error}");
            }
            ffi::lua_getfield(vm.0, ffi::LUA_GLOBALSINDEX, c"asked".as_ptr());
            ffi::lua_tointeger(vm.0, -1).try_into().unwrap()
        }
    }

    #[test]
    fn each_way_that_never_ends_is_counted() {
        for text in [
            "while true do end",
            "for i = 1, math.huge do end",
            "for _ in function() return 1 end do end",
            "for _ in os.clock do end",
            "repeat until false",
            "::top:: goto top",
            "local goto_ = 1; ::a::goto --[[ next ]] a",
            "local function f() return f() end f()",
            "local f; f = function(a, b --[[)]], ...) return f(a) end f()",
            "local t = { n = {} } function t.n:loop() return self:loop() end t.n:loop()",
            "setmetatable({}, { __index = function(t, key) while 1 do end end }).x()",
            "#!/usr/bin/lua\nwhile true do end",
            "\u{feff}while true do end",
            "local s = 'while true do' .. \"\\\"\" .. [==[ ]] end ]==] --[[ x\n]]--y\nwhile true do end--",
            "local x = 1. ..2 ..0x1p4 .. .5e-3 while true do end",
        ] {
            assert_eq!(times_asked(text, 3), 1001, "{text}");
        }
    }

    #[test]
    fn a_step_is_counted_each_time() {
        // The first step asks, as nothing is left at the beginning.
        for (text, asked) in
            [("", 0), ("for i = 1, 1 do end", 1), ("for i = 1, 10 do end", 1), ("for i = 1, 12 do end", 2)]
        {
            assert_eq!(times_asked(text, 10), asked, "{text}");
        }
    }

    #[test]
    fn programs_see_no_difference() {
        let vm = BareVm::new().unwrap();
        for text in [
            "return ...",
            "local a, b = ... return b, a, select('#', ...)",
            "return debug.getinfo(1, 'l').currentline",
            "\n\nreturn debug.getinfo(1, 'l').currentline",
            "#!/bin/sh\nreturn debug.getinfo(1, 'l').currentline",
            "local n = 0 for i = 1, 5 do if i == 3 then goto continue end n = n + i ::continue:: end return n",
            "local n = 0 repeat local done = n > 3 n = n + 1 until done return n",
            "local goto = 5 return goto",
            "local function f() return function() called = 1 end end local goto f (1)() ::f:: return called",
            "local function f() return function() called = 2 end end local a, goto f (1)() ::f:: return called",
            "local t = { ['end'] = 1, done = 2, repeats = 3, iffy = 4 } return t.done + t.repeats, t['end']",
            "if true then return 1 elseif false then return 2 else return 3 end",
            "do local x <const> = 1 end",
            "return (function(...) return select('#', ...) end)(1, 2, 3)",
            "local f = function() return 1 end (print or f)() return f()",
            "return 'a\\z  \n b\\\nc'",
            "return getfenv(1) == _G, pcall(error, 'x')",
        ] {
            let counted = counted(text.as_bytes()).unwrap();
            // SAFETY: the VM is valid until dropped. Each error is caught by a protected call.
            let outcome = |text: &[u8], is_counted: bool| unsafe {
                ffi::lua_settop(vm.0, 0);
                ffi::luaL_openlibs(vm.0);
                if program::load(vm.0, text, c"=text") != ffi::LUA_OK {
                    return format!("no program: {}", text_at(vm.0, -1));
                }
                if is_counted {
                    // What the program asks for its number of steps.
                    ffi::luaL_loadstring(vm.0, c"return 1e9".as_ptr());
                    assert_eq!(ffi::lua_pcall(vm.0, 1, 1, 0), ffi::LUA_OK);
                }
                ffi::lua_pushinteger(vm.0, 7);
                ffi::lua_pushinteger(vm.0, 8);
                let code = ffi::lua_pcall(vm.0, 2, ffi::LUA_MULTRET, 0);
                let values = 1..=ffi::lua_gettop(vm.0);
                let values: Vec<_> = values
                    .map(|index| match ffi::lua_type(vm.0, index) {
                        ffi::LUA_TBOOLEAN => ffi::lua_toboolean(vm.0, index).to_string(),
                        _ => text_at(vm.0, index),
                    })
                    .collect();
                format!("{code} {values:?}")
            };
            assert_eq!(outcome(&counted, true), outcome(text.as_bytes(), false), "{text}");
        }
    }

    #[test]
    fn what_is_no_program_is_left_to_the_compiler() {
        for text in ["'", "\"a\nb\"", "[[", "--[==[ ]]", "end", "do end end do", "until", "while true do", "'\\"] {
            assert_eq!(counted(text.as_bytes()), None, "{text}");
        }
        let all: String = (0..NAMES).map(|suffix| format!("_polyplug{suffix:x} = 1\n")).collect();
        assert_eq!(counted(all.as_bytes()), None);
        let text = counted(b"_polyplug0 = 1 while true do end").unwrap();
        assert!(text.windows(12).any(|part| part == b"_polyplug1n="), "another name");
    }

    proptest! {
        /// No text makes a program that the compiler does not take as it is.
        #[test]
        fn nothing_becomes_a_program(parts in prop::collection::vec(prop::sample::select(vec![
            "do", "end", "while x do", "for i = 1, 2 do", "function f(a)", "local function f()", "f(function()", "end)", "goto f",
            "::f::", "goto = 1", "x = goto", "repeat", "until x", "if x then", "else", "return", "return x", "f()", "(f)()", "x = 1",
            "'x'", "[[", "]]", "--", "\n", ",", "..", "break", ";", "local x = f",
        ]), 0..12), ends in 0..4_usize) {
            let text = parts.join(" ") + &" end".repeat(ends);
            if let Some(counted) = counted(text.as_bytes()) {
                let vm = BareVm::new().unwrap();
                // SAFETY: the VM is valid until dropped.
                let (with, without) = unsafe {
                    (program::load(vm.0, &counted, c"=text"), program::load(vm.0, text.as_bytes(), c"=text"))
                };
                prop_assert!(with != ffi::LUA_OK || without == ffi::LUA_OK, "{}", text);
            }
        }
    }
}
