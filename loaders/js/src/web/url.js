// URL and URLSearchParams. The text is a function of native functions, so that nothing is looked up on globals or
// prototypes, which code of a bundle may have replaced. Template literals are not used either: QuickJS calls
// `String.prototype.concat` for them.
(function (native, iterator, toStringTag) {
  const { parse, canParse, part, change, parseQuery, writeQuery, sort, keys, isArray, apply, fail, text } = native;

  // The places of `part` and `change`.
  const HREF = 0, ORIGIN = 1, PROTOCOL = 2, USERNAME = 3, PASSWORD = 4, HOST = 5, HOSTNAME = 6, PORT = 7, PATHNAME = 8,
    SEARCH = 9, HASH = 10;

  // Accesses to private fields between the classes.
  let setList, tie, list, describe;

  class URLSearchParams {
    // Names and values in turn.
    #list = [];
    // The function that gets the text after each change, if the parameters are those of a URL.
    #changed = undefined;

    static {
      setList = (params, query) => {
        params.#list = parseQuery(query);
      };
      tie = (params, changed) => {
        params.#changed = changed;
      };
      list = (params) => (#list in params ? params.#list : undefined);
    }

    constructor(init = "") {
      if ((typeof init !== "object" && typeof init !== "function") || init === null) {
        const query = text(init);
        this.#list = parseQuery(query);
        return;
      }
      const pairs = this.#list;
      const add = (pair) => {
        if (typeof pair !== "object" || pair === null) {
          fail("each parameter must be a pair [name, value]");
        }
        const items = all(pair);
        if (items.length !== 2) {
          fail("each parameter must be a pair [name, value]");
        }
        append(pairs, text(items[0]), text(items[1]));
      };
      const other = list(init);
      if (other !== undefined) {
        for (let at = 0; at < other.length; at += 1) {
          pairs[at] = other[at];
        }
      } else if (init[iterator] !== undefined && init[iterator] !== null) {
        const items = all(init);
        for (let at = 0; at < items.length; at += 1) {
          add(items[at]);
        }
      } else {
        const names = keys(init);
        for (let at = 0; at < names.length; at += 1) {
          this.#set(names[at], text(init[names[at]]));
        }
      }
    }

    #set(name, value) {
      const before = this.#list;
      const after = [];
      let found = false;
      for (let at = 0; at < before.length; at += 2) {
        if (before[at] !== name) {
          append(after, before[at], before[at + 1]);
        } else if (!found) {
          found = true;
          append(after, name, value);
        }
      }
      if (!found) {
        append(after, name, value);
      }
      this.#list = after;
    }

    #update() {
      if (this.#changed !== undefined) {
        this.#changed(writeQuery(this.#list));
      }
    }

    append(name, value) {
      append(this.#list, text(name), text(value));
      this.#update();
    }

    delete(name, value = undefined) {
      name = text(name);
      const before = this.#list;
      const after = [];
      if (value !== undefined) {
        value = text(value);
      }
      for (let at = 0; at < before.length; at += 2) {
        if (before[at] !== name || (value !== undefined && before[at + 1] !== value)) {
          append(after, before[at], before[at + 1]);
        }
      }
      this.#list = after;
      this.#update();
    }

    get(name) {
      name = text(name);
      const pairs = this.#list;
      for (let at = 0; at < pairs.length; at += 2) {
        if (pairs[at] === name) {
          return pairs[at + 1];
        }
      }
      return null;
    }

    getAll(name) {
      name = text(name);
      const pairs = this.#list;
      const values = [];
      for (let at = 0; at < pairs.length; at += 2) {
        if (pairs[at] === name) {
          values[values.length] = pairs[at + 1];
        }
      }
      return values;
    }

    has(name, value = undefined) {
      name = text(name);
      if (value !== undefined) {
        value = text(value);
      }
      const pairs = this.#list;
      for (let at = 0; at < pairs.length; at += 2) {
        if (pairs[at] === name && (value === undefined || pairs[at + 1] === value)) {
          return true;
        }
      }
      return false;
    }

    set(name, value) {
      this.#set(text(name), text(value));
      this.#update();
    }

    sort() {
      this.#list = sort(this.#list);
      this.#update();
    }

    forEach(callback, thisArg = undefined) {
      this.#list;
      if (typeof callback !== "function") {
        fail("URLSearchParams.forEach needs a function");
      }
      for (let at = 0; at < this.#list.length; at += 2) {
        apply(callback, thisArg, this.#list[at + 1], this.#list[at], this);
      }
    }

    *#walk(each) {
      for (let at = 0; at < this.#list.length; at += 2) {
        yield each(this.#list[at], this.#list[at + 1]);
      }
    }

    entries() {
      return this.#walk((name, value) => [name, value]);
    }

    keys() {
      return this.#walk((name) => name);
    }

    values() {
      return this.#walk((_, value) => value);
    }

    [iterator]() {
      return this.#walk((name, value) => [name, value]);
    }

    get size() {
      return this.#list.length / 2;
    }

    toString() {
      return writeQuery(this.#list);
    }

    get [toStringTag]() {
      return "URLSearchParams";
    }
  }

  class URL {
    #href;
    #params = undefined;

    static canParse(url, base = undefined) {
      return canParse(text(url), base === undefined ? undefined : text(base));
    }

    static parse(url, base = undefined) {
      url = text(url);
      base = base === undefined ? undefined : text(base);
      return canParse(url, base) ? new URL(url, base) : null;
    }

    constructor(url, base = undefined) {
      this.#href = parse(text(url), base === undefined ? undefined : text(base));
    }

    #change(place, value) {
      this.#href = change(this.#href, place, text(value));
      if (this.#params !== undefined && (place === SEARCH || place === HREF)) {
        setList(this.#params, part(this.#href, SEARCH));
      }
    }

    get href() {
      return this.#href;
    }
    set href(value) {
      this.#change(HREF, value);
    }
    get origin() {
      return part(this.#href, ORIGIN);
    }
    get protocol() {
      return part(this.#href, PROTOCOL);
    }
    set protocol(value) {
      this.#change(PROTOCOL, value);
    }
    get username() {
      return part(this.#href, USERNAME);
    }
    set username(value) {
      this.#change(USERNAME, value);
    }
    get password() {
      return part(this.#href, PASSWORD);
    }
    set password(value) {
      this.#change(PASSWORD, value);
    }
    get host() {
      return part(this.#href, HOST);
    }
    set host(value) {
      this.#change(HOST, value);
    }
    get hostname() {
      return part(this.#href, HOSTNAME);
    }
    set hostname(value) {
      this.#change(HOSTNAME, value);
    }
    get port() {
      return part(this.#href, PORT);
    }
    set port(value) {
      this.#change(PORT, value);
    }
    get pathname() {
      return part(this.#href, PATHNAME);
    }
    set pathname(value) {
      this.#change(PATHNAME, value);
    }
    get search() {
      return part(this.#href, SEARCH);
    }
    set search(value) {
      this.#change(SEARCH, value);
    }
    get hash() {
      return part(this.#href, HASH);
    }
    set hash(value) {
      this.#change(HASH, value);
    }

    get searchParams() {
      if (this.#params === undefined) {
        const params = new URLSearchParams();
        setList(params, part(this.#href, SEARCH));
        tie(params, (query) => {
          this.#href = change(this.#href, SEARCH, query);
        });
        this.#params = params;
      }
      return this.#params;
    }

    toString() {
      return this.#href;
    }

    toJSON() {
      return this.#href;
    }

    get [toStringTag]() {
      return "URL";
    }

    static {
      // The text of a URL, the list of parameters, or undefined for other objects.
      describe = (value) => (#href in value ? value.#href : list(value));
    }
  }

  function append(pairs, name, value) {
    pairs[pairs.length] = name;
    pairs[pairs.length] = value;
  }

  // The items of an iterable. An array's items are read by index, because its iterator may have been replaced.
  function all(iterable) {
    if (isArray(iterable)) {
      return iterable;
    }
    const items = [];
    for (const item of iterable) {
      items[items.length] = item;
    }
    return items;
  }

  return { URL, URLSearchParams, describe };
})
