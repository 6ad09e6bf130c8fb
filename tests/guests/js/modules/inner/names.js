export const polite = (name) => `dear ${name}`;
