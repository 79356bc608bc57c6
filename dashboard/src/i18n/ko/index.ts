export { messages } from '../en';
