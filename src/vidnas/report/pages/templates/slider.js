// The slider over the epochs of a search. The page is whole without it.
"use strict";

function wireSlider() {
  const slider = document.getElementById("epoch");
  if (!slider) return;
  const epochs = JSON.parse(document.getElementById("epochs").textContent);
  const said = document.getElementById("said");
  const drawings = document.querySelectorAll("[data-drawing]");
  const heat = document.querySelectorAll("#heat tbody tr");

  function show() {
    const { epoch, drawing, text, mixing, kept } = epochs.list[slider.value];
    drawings.forEach((one) => { one.hidden = Number(one.dataset.drawing) !== drawing; });
    said.firstElementChild.textContent = epoch;
    said.lastElementChild.textContent = `of ${epochs.list.at(-1).epoch} · ${text}`;
    slider.setAttribute("aria-valuetext", `Epoch ${epoch}, ${text}`);
    heat.forEach((row, i) => [...row.querySelectorAll("td")].forEach((cell, j) => {
      const share = mixing.length ? mixing[i][j] : null;
      cell.textContent = share === null ? "" : (share / 10).toFixed(1);
      cell.style.setProperty("--v", share === null ? 0 : (share / epochs.highest).toFixed(2));
      cell.classList.toggle("kept", kept.some(([row, column]) => row === i && column === j));
    }));
  }

  slider.addEventListener("input", show);
  show();
}

wireSlider();
