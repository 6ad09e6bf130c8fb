;; The plugin, for Extism. In text, so that no compiler for WebAssembly is needed.
(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory (export "memory") 4)
  (data (i32.const 0) "Hello, ")

  ;; Copies the input to $to, and returns its length.
  (func $input (param $to i32) (result i32)
    (local $at i64) (local $len i64)
    (local.set $len (call $input_length))
    (block $words
      (loop $each
        (br_if $words (i64.gt_u (i64.add (local.get $at) (i64.const 8)) (local.get $len)))
        (i64.store (i32.add (local.get $to) (i32.wrap_i64 (local.get $at))) (call $input_load_u64 (local.get $at)))
        (local.set $at (i64.add (local.get $at) (i64.const 8)))
        (br $each)))
    (block $done
      (loop $each
        (br_if $done (i64.eq (local.get $at) (local.get $len)))
        (i32.store8 (i32.add (local.get $to) (i32.wrap_i64 (local.get $at))) (call $input_load_u8 (local.get $at)))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br $each)))
    (i32.wrap_i64 (local.get $len)))

  ;; Makes $len bytes from $from on the output.
  (func $output (param $from i32) (param $len i32)
    (local $out i64) (local $at i32)
    (local.set $out (call $alloc (i64.extend_i32_u (local.get $len))))
    (block $words
      (loop $each
        (br_if $words (i32.gt_u (i32.add (local.get $at) (i32.const 8)) (local.get $len)))
        (call $store_u64 (i64.add (local.get $out) (i64.extend_i32_u (local.get $at)))
          (i64.load (i32.add (local.get $from) (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $each)))
    (block $done
      (loop $each
        (br_if $done (i32.eq (local.get $at) (local.get $len)))
        (call $store_u8 (i64.add (local.get $out) (i64.extend_i32_u (local.get $at)))
          (i32.load8_u (i32.add (local.get $from) (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $each)))
    (call $output_set (local.get $out) (i64.extend_i32_u (local.get $len))))

  (func (export "add") (result i32)
    (drop (call $input (i32.const 64)))
    (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.load (i32.const 68))))
    (call $output (i32.const 64) (i32.const 4))
    (i32.const 0))

  (func (export "greet") (result i32)
    (local $len i32)
    (local.set $len (call $input (i32.const 71)))
    (memory.copy (i32.const 64) (i32.const 0) (i32.const 7))
    (i32.store8 (i32.add (i32.const 71) (local.get $len)) (i32.const 33))
    (call $output (i32.const 64) (i32.add (local.get $len) (i32.const 8)))
    (i32.const 0))

  (func (export "sum") (result i32)
    (local $at i32) (local $end i32) (local $sum i64)
    (local.set $at (i32.const 64))
    (local.set $end (i32.add (i32.const 64) (call $input (i32.const 64))))
    (block $done
      (loop $each
        (br_if $done (i32.eq (local.get $at) (local.get $end)))
        (local.set $sum (i64.add (local.get $sum) (i64.load8_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $each)))
    (i64.store (i32.const 64) (local.get $sum))
    (call $output (i32.const 64) (i32.const 8))
    (i32.const 0)))
