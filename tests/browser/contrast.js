// Every text of ours that stands out from its ground by less than 4.5 to 1 (WCAG 2.1, 1.4.3).
() => {
    const sheet = document.createElement('canvas');
    const canvas = sheet.getContext('2d', {willReadFrequently: true});
    const parse = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const over = ([r, g, b, a], under) => [r, g, b].map((c, i) => {
        // getImageData gives colours that are not premultiplied
        return c * a / 255 + under[i] * (1 - a / 255);
    });
    const linear = (c) => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
    const light = (rgb) => {
        const [r, g, b] = rgb.map(c => linear(c / 255));
        return .2126 * r + .7152 * g + .0722 * b;
    };
    const ground = (element) => {
        const layers = [];
        for (let each = element; each; each = each.parentElement) {
            layers.push(parse(getComputedStyle(each).backgroundColor));
        }
        return layers.reduceRight((under, layer) => over(layer, under), [255, 255, 255]);
    };
    const bad = [];
    for (const element of document.querySelectorAll('.agl *')) {
        const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        if (!own || element.closest('style') || !element.getClientRects().length) continue;
        const back = ground(element);
        const [x, y] = [light(over(parse(getComputedStyle(element).color), back)), light(back)];
        const ratio = (Math.max(x, y) + .05) / (Math.min(x, y) + .05);
        if (ratio < 4.5) bad.push([element.className, element.textContent.slice(0, 30), ratio]);
    }
    return bad;
}
