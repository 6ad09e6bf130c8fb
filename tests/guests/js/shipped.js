// Is for a contract that only its bundle describes.
export const contract = "test.shipped@1";

export default class Shipped {
  version() {
    return 1;
  }

  echo(text) {
    return `1 ${text}`;
  }

  card(text) {
    return { version: 1, text: `1 ${text}`, repeated: [], last: 1 };
  }

  giveUp(text) {
    throw new Error(text);
  }
}
