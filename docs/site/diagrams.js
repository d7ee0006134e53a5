// On a narrow screen, diagrams keep their own size, and scroll. Apart from that, the theme's colours for them miss what
// newer versions of Mermaid call by other names. Without this, arrowheads and the titles of alternatives are black in the
// dark scheme.
const useMaxWidth = window.matchMedia("(min-width: 45em)").matches
const initialize = mermaid.initialize
mermaid.initialize = config =>
  initialize({
    ...config,
    flowchart: { ...config.flowchart, useMaxWidth },
    sequence: { ...config.sequence, useMaxWidth },
    state: { ...config.state, useMaxWidth },
    themeCSS: `${config.themeCSS}
      .sectionTitle, .sectionTitle > tspan { fill: var(--md-mermaid-sequence-loop-fg-color); stroke: none }
      [id$="-arrowhead"] path, [id$="-crosshead"] path, [id$="-filled-head"] path {
        fill: var(--md-mermaid-sequence-message-line-color);
        stroke: var(--md-mermaid-sequence-message-line-color)
      }`,
  })
