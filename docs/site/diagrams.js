// The theme's colours for diagrams miss what newer versions of Mermaid call by other names. Without this, arrowheads and
// the titles of alternatives are black in the dark scheme.
const initialize = mermaid.initialize
mermaid.initialize = config =>
  initialize({
    ...config,
    themeCSS: `${config.themeCSS}
      .sectionTitle, .sectionTitle > tspan { fill: var(--md-mermaid-sequence-loop-fg-color); stroke: none }
      [id$="-arrowhead"] path, [id$="-crosshead"] path, [id$="-filled-head"] path {
        fill: var(--md-mermaid-sequence-message-line-color);
        stroke: var(--md-mermaid-sequence-message-line-color)
      }`,
  })
