// What asks before it acts: a dialog in the middle, or a panel at the side that the view goes on beside.
import { Drawer, Modal } from '@mantine/core';
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { errorText } from '../../api/error-text';
import { useT } from '../../i18n';
import { Button } from '../controls/Button';
import './dialog.css';
import { Failure } from '../feedback/Notice';
import { toast } from '../feedback/toast';

interface Props {
  isOpen: boolean;
  onClose: () => void;
  title: ReactNode;
  note?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
}

// Mantine's lock of scrolling puts a style element into the page, which the content security policy refuses.
const shared = { lockScroll: false, transitionProps: { duration: 0 } };

function Title({ title, note }: Pick<Props, 'title' | 'note'>) {
  return (
    <>
      {title}
      {note && <span className="dialog-note">{note}</span>}
    </>
  );
}

export function Dialog({ isOpen, onClose, title, note, children, footer }: Props) {
  const t = useT();
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={<Title title={title} note={note} />}
      centered
      size={520}
      closeButtonProps={{ 'aria-label': t.close }}
      {...shared}
    >
      <div className="dialog-body">{children}</div>
      {footer && <footer className="dialog-footer">{footer}</footer>}
    </Modal>
  );
}

export function Panel({ isOpen, onClose, title, note, children, footer }: Props) {
  const t = useT();
  return (
    <Drawer
      opened={isOpen}
      onClose={onClose}
      title={<Title title={title} note={note} />}
      position="right"
      size={440}
      withOverlay
      overlayProps={{ backgroundOpacity: 0.28 }}
      closeButtonProps={{ 'aria-label': t.close }}
      classNames={{ content: 'panel', body: 'panel-inner' }}
      {...shared}
    >
      <div className="dialog-body">{children}</div>
      {footer && <footer className="dialog-footer">{footer}</footer>}
    </Drawer>
  );
}

interface AskProps {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  /** A verb. */
  act: string;
  isDangerous?: boolean;
  onAct: () => Promise<unknown>;
}

/** Asks once, does it, closes. What goes wrong is said in the dialog. */
export function Ask({ isOpen, onClose, title, children, act, isDangerous, onAct }: AskProps) {
  const t = useT();
  const { isBusy, error, run } = useAct(onClose, isOpen);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={title}
      footer={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button kind={isDangerous ? 'danger' : 'primary'} isBusy={isBusy} onClick={() => run(onAct)} data-autofocus>
            {act}
          </Button>
        </>
      }
    >
      {children}
      {error !== null && <Failure error={error} />}
    </Dialog>
  );
}

interface FormProps extends Omit<AskProps, 'isDangerous' | 'onAct'> {
  note?: ReactNode;
  onSubmit: () => Promise<unknown>;
}

/** A form in a panel. */
export function FormPanel({ isOpen, onClose, title, note, children, act, onSubmit }: FormProps) {
  const t = useT();
  const { isBusy, error, run } = useAct(onClose, isOpen);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(onSubmit);
  };
  return (
    <Panel
      isOpen={isOpen}
      onClose={onClose}
      title={title}
      note={note}
      footer={
        <>
          <span className="grow" />
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button kind="primary" type="submit" form="panel-form" isBusy={isBusy}>
            {act}
          </Button>
        </>
      }
    >
      <form id="panel-form" className="stack" onSubmit={submit}>
        {children}
        {error !== null && <Failure error={error} />}
      </form>
    </Panel>
  );
}

/** Runs what was asked for. Whoever closed what asked meanwhile, or opened something else, keeps what they see now; what is
 *  merely drawn anew, because a save changed what it is about, is done all the same. */
export function useAct(onDone: () => void, isShown = true) {
  const t = useT();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const shown = useRef(isShown);
  useEffect(() => {
    shown.current = isShown;
    if (isShown) setError(null);
    return () => {
      shown.current = false;
    };
  }, [isShown]);
  const run = async (act: () => Promise<unknown>) => {
    setBusy(true);
    setError(null);
    const address = location.href;
    try {
      await act();
      if (shown.current || location.href === address) onDone();
    } catch (problem) {
      if (shown.current) setError(problem);
      else toast(errorText(problem, t.failure), true);
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, error, run };
}
