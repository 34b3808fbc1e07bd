import type { ComponentProps, MouseEvent } from 'react';

interface LinkProps extends ComponentProps<'a'> {
  href: string;
  /** In place of the browser's own loading, unless a new tab or window is asked for. */
  onFollow: () => void;
}

export function Link({ href, onFollow, children, ...attributes }: LinkProps) {
  function onClick(event: MouseEvent) {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    onFollow();
  }
  return (
    <a {...attributes} href={href} onClick={onClick}>
      {children}
    </a>
  );
}
