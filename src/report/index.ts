export * from './charts.ts';
export { type Content, Html, h, together } from './html.ts';
export * from './page.ts';
export * from './parts.ts';
