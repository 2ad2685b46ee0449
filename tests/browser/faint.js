// The texts and lines of figures whose contrast with what is painted below them is under 3.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => a * c + (1 - a) * below[i]);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, two) => {
    const [high, low] = [light(one), light(two)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const paper = (node) => {
    for (; node; node = node.parentElement) {
      const colour = rgba(getComputedStyle(node).backgroundColor);
      if (colour[3] === 1) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const filled = (shape) => {
    const style = getComputedStyle(shape);
    if (shape.tagName === "text" || shape.tagName === "tspan" || style.fill === "none") return null;
    if (!(shape instanceof SVGGeometryElement) || style.fill.startsWith("url")) return null;
    const [r, g, b, a] = rgba(style.fill);
    return [r, g, b, a * style.fillOpacity * style.opacity];
  };
  const faint = [];
  for (const svg of document.querySelectorAll("figure svg[role=img]")) {
    svg.scrollIntoView({ block: "center" });
    const base = paper(svg.parentElement);
    const figure = svg.closest("figure").id;
    for (const text of svg.querySelectorAll("text")) {
      const box = text.getBoundingClientRect();
      if (!box.width || getComputedStyle(text).visibility === "hidden") continue;
      const under = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2)
        .filter((e) => svg.contains(e)).map(filled).filter(Boolean).reverse();
      const below = under.reduce((colour, shape) => over(shape, colour), base);
      const style = getComputedStyle(text);
      const [r, g, b, a] = rgba(style.fill);
      const mine = over([r, g, b, a * style.fillOpacity * style.opacity], below);
      if (ratio(mine, below) < 3)
        faint.push(`#${figure}: the text “${text.textContent.trim()}” (${ratio(mine, below).toFixed(1)})`);
    }
    const colours = new Set();
    for (const line of svg.querySelectorAll("[stroke]")) {
      const named = line.getAttribute("stroke");
      if (!(line instanceof SVGGeometryElement) || /none|grid|axis|soft|paper/.test(named)) continue;
      const style = getComputedStyle(line);
      if (ratio(over(rgba(style.stroke), base), base) < 3 && !colours.has(named)) {
        colours.add(named);
        faint.push(`#${figure}: lines in ${named} (${ratio(rgba(style.stroke).slice(0, 3), base).toFixed(1)})`);
      }
    }
  }
  return faint;
}
