// Drawing the views: all of them when the descent rests, while it plays those that can be seen.

// Sections that show the weights as pictures.
const WITH_WEIGHTS = ["way", "chosen", "units"];

/** Make the drawing of views, each a function with the id of its section. */
export function makeDrawing(ui) {
  const hidden = new Set();
  const drawing = { views: [], frames: 0 };
  drawing.draw = () => {
    for (const [draw, id] of drawing.views) if (!ui.playing || !hidden.has(id)) draw();
    drawing.frames++;
  };
  drawing.watch = () => {
    const watcher = new IntersectionObserver((changes) => {
      for (const { target, isIntersecting } of changes) {
        if (isIntersecting) hidden.delete(target.id);
        else hidden.add(target.id);
      }
    });
    for (const section of document.querySelectorAll(".panels section")) watcher.observe(section);
  };
  drawing.showsWeights = () => WITH_WEIGHTS.some((id) => !hidden.has(id));
  return drawing;
}
