/* The page of a graph. These files are written one after the other, in the order of `SCRIPTS` in `../__init__.py`, into
   one asynchronous function of the page: a name at the top level of one file can be used in the functions of all others.

   What most files build on:

   data          what was written into the page: boxes, edges, groups, as `json_document.py` has them; what is large in
                 a box, such as `value`, is parsed when it is first read
   boxes         every box by its id, including those that are drawn in the place of closed groups
   groups        every group by its id
   closed        the ids of the groups that are closed
   drawing       the SVG that is shown
   shown         the layout that is drawn; null until there is one
   at            the index in `steps` of the current step, or -1
   chosen        the id of the box that was clicked, or null
   shownAs(id)   the id of the box that is drawn for a box: itself, or that of a closed group around it, or null
   element(id)   the SVG element of a box or a group, or null while it is not drawn
   showsCards()  whether a step and its parameters, with their cotangents, are drawn as one card
   thumbnails()  the pictures of values, wherever they are shown: each <image> in the drawing, and each <img> in the
                 panel. `data-box` is the id of the box. A thumbnail is `box.value.picture` = {png, width, height, caption}
   on(name, f)   calls f(what) after: "redrawn" (the SVG), "moved" (the view), "chosen" (a box, or null), "stepped" (a
                 box), "shown" (the panel has new content: its element), "held" (an element of a thumbnail, or null) */

const $ = (id) => document.getElementById(id);

// What was written into the page, by lines: all but what is parsed when it is asked for, then that of each box.
// Of 10,000 steps they are tens of megabytes, of which a reader sees little: so a line is decoded when it is read.
const bytes = new Uint8Array(await (await unpacked($("data").textContent)).arrayBuffer()), starts = [0], decoder = new TextDecoder();
for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) starts.push(at + 1);
starts.push(bytes.length + 1);
const lineCount = starts.length - 1;
const line = (i) => JSON.parse(decoder.decode(bytes.subarray(starts[i], starts[i + 1] - 1)));
const data = line(0);
data.edges = data.edges.map(([tail, head, flow, position, detail, short, change]) => ({ tail, head, flow, position, detail, short, change }));

async function unpacked(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i); // ten times as fast as Uint8Array.from
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
}

class Box {
  #line;
  #later = null;
  constructor(fields, line) {
    Object.assign(this, fields); // what is null, false or empty is left out, and the dtype of most boxes
    this.dtype ??= data.dtype;
    this.#line = line;
  }
  #read() { return (this.#later ??= line(this.#line)); }
  get dot() { return this.#read().dot; }
  get card() { return this.#read().card; }
  get sign() { return this.#read().sign; }
  get value() { return this.#read().value; }
  get before() { return this.#read().before; }
  get rule() { return this.#read().rule; }
}

data.boxes = data.boxes.map((fields, i) => new Box(fields, 1 + i));
data.group_boxes = data.group_boxes.map((fields, i) => new Box(fields, 1 + data.boxes.length + i));
const boxes = new Map([...data.boxes, ...data.group_boxes].map((box) => [box.id, box]));
const groups = new Map(data.groups.map((group) => [group.id, group]));
const closed = new Set(data.closed);
const rules = data.groups.filter((group) => group.computes);
const graph = $("graph"), panel = $("panel");
let drawing = null, at = -1, chosen = null;

const thumbnails = () => [...document.querySelectorAll("[data-box]")];

const listeners = new Map();

function on(name, listener) {
  listeners.set(name, [...(listeners.get(name) ?? []), listener]);
}

function tell(name, what) {
  for (const listener of listeners.get(name) ?? []) listener(what);
}
