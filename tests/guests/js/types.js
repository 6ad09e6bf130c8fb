// Returns what it is given, of every type; and measures how deep values are.
import { DeclaredError, plugin } from "polyplug";

const NAMES = `
  boolean int8 int16 int32 int64 nat8 nat16 nat32 nat64 float32 float64 letter text bytes

  listBoolean listInt8 listInt16 listInt32 listInt64 listNat16 listNat32 listNat64 listFloat32 listFloat64 listLetter
  listText listBytes listList listPoint listPixel listMixed listPair listNested listColour listShape listOption listBox
  listOptionBox listTuple listPlainTuple listMap listResult

  optionUnit optionBoolean optionInt8 optionInt16 optionInt32 optionInt64 optionNat8 optionNat16 optionNat32 optionNat64
  optionFloat32 optionFloat64 optionLetter optionText optionBytes optionList optionPoint optionMixed optionColour
  optionShape optionTuple optionMap optionResult optionOption optionOptionText optionOptionOption optionBox
  optionBoxText optionBoxBox optionOptionBox optionBoxOption boxed boxedShape

  tuple1 tuple2 tuple3 tuple4 tuple5 tuple6 tuple7 tuple8

  hashBoolean hashInt8 hashInt16 hashInt32 hashInt64 hashNat8 hashNat16 hashNat32 hashNat64 hashLetter hashText
  treeBoolean treeInt8 treeInt16 treeInt32 treeInt64 treeNat8 treeNat16 treeNat32 treeNat64 treeLetter treeText

  point pixel mixed wrapper pair nested colour shape

  tree chain optionBoxChain folder family document
`;

const RESULTS = "resultUnit resultUnitText resultNumber resultSmall resultRecord resultList resultResult";

class Types {}

for (const name of NAMES.trim().split(/\s+/)) {
  Types.prototype[name] = (value) => value;
}

// Methods that return a result throw its error.
for (const name of RESULTS.split(" ")) {
  Types.prototype[name] = ({ tag, val }) => {
    if (tag === "err") throw new DeclaredError(val);
    return val;
  };
}

plugin("test.types@1", Types);

const deepest = (parts, measure) => 1 + Math.max(0, ...parts.map(measure));
const treeDepth = (tree) => deepest(tree.children, treeDepth);
const folderDepth = (folder) => deepest([...folder.folders.values()], folderDepth);

function count(value, inner) {
  let number = 0n;
  for (; value !== null; value = value[inner]) number += 1n;
  return number;
}

class Depth {
  measureTree(value) {
    return treeDepth(value);
  }

  measureFolder(value) {
    return folderDepth(value);
  }

  measureChain(value) {
    return count(value, "next");
  }

  measureOnion(value) {
    return count(value, "inside");
  }

  tree(depth) {
    let tree = { value: 0, children: [] };
    for (let value = 1; value < depth; value++) tree = { value, children: [tree] };
    return tree;
  }

  chain(length) {
    let chain = { number: 0n, next: null };
    for (let number = 1n; number < length; number++) chain = { number, next: chain };
    return chain;
  }

  onion(layers, rings) {
    let onion = null;
    for (let layer = 0; layer < layers; layer++) {
      onion = { rings: rings ? [1.5] : [], skin: Uint8Array.of(1, 2), inside: onion };
    }
    return onion;
  }

  folder(depth) {
    let folder = { size: 1, folders: new Map(), versions: new Map() };
    for (let level = 1; level < depth; level++) {
      folder = { size: 1, folders: { inner: folder }, versions: new Map() };
    }
    return folder;
  }
}

plugin("test.depth@1", Depth);
