;; The plugin, a WebAssembly component. In text, so that no compiler for WebAssembly is needed.
(component
  (core module $module
    (memory (export "memory") 1)
    (data (i32.const 0) "Hello, ")
    ;; What a call is given lies from 64 on, and is forgotten when the call has ended.
    (global $next (mut i32) (i32.const 64))

    (func $allocate (export "allocate") (param i32 i32 i32) (param $size i32) (result i32)
      (local $start i32)
      (local.set $start (global.get $next))
      (global.set $next (i32.and (i32.add (i32.add (local.get $start) (local.get $size)) (i32.const 7)) (i32.const -8)))
      (block $enough
        (br_if $enough (i32.le_u (global.get $next) (i32.shl (memory.size) (i32.const 16))))
        (br_if $enough (i32.ne (i32.const -1) (memory.grow
          (i32.sub (i32.add (i32.shr_u (global.get $next) (i32.const 16)) (i32.const 1)) (memory.size)))))
        (unreachable))
      (local.get $start))

    (func (export "add") (param i32 i32) (result i32)
      (i32.add (local.get 0) (local.get 1)))

    (func (export "greet") (param $name i32) (param $len i32) (result i32)
      (local $text i32) (local $result i32)
      (local.set $text (call $allocate (i32.const 0) (i32.const 0) (i32.const 1) (i32.add (local.get $len) (i32.const 8))))
      (local.set $result (call $allocate (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 8)))
      (memory.copy (local.get $text) (i32.const 0) (i32.const 7))
      (memory.copy (i32.add (local.get $text) (i32.const 7)) (local.get $name) (local.get $len))
      (i32.store8 offset=7 (i32.add (local.get $text) (local.get $len)) (i32.const 33))
      (i32.store (local.get $result) (local.get $text))
      (i32.store offset=4 (local.get $result) (i32.add (local.get $len) (i32.const 8)))
      (local.get $result))
    (func (export "greet-ends") (param i32) (global.set $next (i32.const 64)))

    (func (export "sum") (param $data i32) (param $len i32) (result i64)
      (local $end i32) (local $sum i64)
      (local.set $end (i32.add (local.get $data) (local.get $len)))
      (block $done
        (loop $each
          (br_if $done (i32.eq (local.get $data) (local.get $end)))
          (local.set $sum (i64.add (local.get $sum) (i64.load8_u (local.get $data))))
          (local.set $data (i32.add (local.get $data) (i32.const 1)))
          (br $each)))
      (local.get $sum))
    (func (export "sum-ends") (param i64) (global.set $next (i32.const 64))))

  (core instance $instance (instantiate $module))
  (func (export "add") (param "a" s32) (param "b" s32) (result s32)
    (canon lift (core func $instance "add")))
  (func (export "greet") (param "name" string) (result string)
    (canon lift (core func $instance "greet") (memory (core memory $instance "memory")) (realloc (core func $instance "allocate"))
      (post-return (core func $instance "greet-ends"))))
  (func (export "sum") (param "data" (list u8)) (result u64)
    (canon lift (core func $instance "sum") (memory (core memory $instance "memory")) (realloc (core func $instance "allocate"))
      (post-return (core func $instance "sum-ends")))))
