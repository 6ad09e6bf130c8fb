// The types of the module that the JavaScript loader gives to plugins.

declare module "polyplug" {
  /** A method of a host's or of another plugin's contract. */
  type Method = (...args: any[]) => any;

  /** An object with a contract's methods. */
  interface Remote {
    readonly [method: string]: Method;
  }

  /** What a plugin gets as its instance is made. */
  interface Context {
    /** The name of the bundle. */
    readonly bundle: string;
    /** The folder of the bundle, or null if it has none. */
    readonly directory: string | null;
    /** The settings of the bundle. */
    readonly config: Readonly<Record<string, unknown>>;
    /** Returns the folder in which the bundle may keep data. */
    dataDirectory(): string;
    /** Has a function called before the bundle is unloaded. */
    onUnload(callback: () => void): void;
  }

  interface PluginOptions {
    /** The name of the plugin, if the bundle has several of the contract. */
    readonly name?: string;
    /** One instance serves all. */
    readonly singleton?: boolean;
    /** Instances have no state. */
    readonly stateless?: boolean;
  }

  type Level = "error" | "warn" | "info" | "debug" | "trace";

  interface Log {
    (level: Level, message: string): void;
    error(message: string): void;
    warn(message: string): void;
    info(message: string): void;
    debug(message: string): void;
    trace(message: string): void;
  }

  /** An error that a contract declares. */
  export class DeclaredError<T = unknown> extends Error {
    constructor(value: T);
    readonly value: T;
  }

  /** Any other failure of a call. */
  export class CallError extends Error {
    readonly kind: string;
    readonly bundle: string;
    readonly contract: string;
    readonly method: string;
    readonly location: string | null;
  }

  /** Declares that a class, an object or a module implements a contract: `name@major`. */
  export function plugin<T extends object>(contract: string, target: T, options?: PluginOptions): T;

  /** Returns a host contract. */
  export function host<T = Remote>(contract: string): T;

  /** Returns the plugin of another bundle. */
  export function peer<T = Remote>(contract: string): T;

  /** Returns makers of the values of a contract's types, by the types' names. */
  export function types(contract: string): { readonly [type: string]: any };

  export const context: Context;
  export const log: Log;
}

/** Writes to the host's log. */
declare const console: {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  trace(...values: unknown[]): void;
};
