// The cards that something sticks out of, other than inside its own scroller.
() => [...document.querySelectorAll('.agl-card')].filter(card =>
    [...card.querySelectorAll('*')].some(x => {
        const box = x.getBoundingClientRect();
        const inner = x.closest('.agl-pre, .agl-scroll, .agl-line1, .agl-clip, .agl-then, .agl-bar, .agl-cols, .agl-held, .agl-map, .agl-plane, table');
        return !inner && box.width > 0 && box.right > card.getBoundingClientRect().right + 1;
    })).map(card => card.innerText.slice(0, 60))
