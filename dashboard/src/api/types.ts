// Short names for the API's types, all of them taken from its description.
import type { components } from './schema';

export type Schemas = components['schemas'];
export type Application = Schemas['ApplicationOut'];
export type Endpoint = Schemas['EndpointOut'];
export type Message = Schemas['MessageOut'];
export type FoundMessage = Schemas['FoundMessageOut'];
export type Attempt = Schemas['AttemptOut'];
export type Delivery = Schemas['DeliveryOut'];
export type DeliveryState = Schemas['DeliveryState'];
export type DeadLetter = Schemas['DeadLetterOut'];
export type DeadLetterGroup = Schemas['DeadLetterGroupOut'];
export type BackgroundTask = Schemas['BackgroundTaskOut'];
export type EventType = Schemas['EventTypeOut'];
export type Inbox = Schemas['InboxOut'];
export type Incident = Schemas['IncidentOut'];
export type Overview = Schemas['OverviewOut'];
export type EndpointOverview = Schemas['EndpointOverviewOut'];
export type UnderWay = Schemas['UnderWayOut'];
export type Node = Schemas['NodeOut'];
export type Session = Schemas['SessionOut'];
export type ApiKey = Schemas['ApiKeyOut'];
export type AuditEntry = Schemas['AuditEntryOut'];
export type Sparkline = Schemas['SparklineOut'];
export type Range = Schemas['Range'];
export type PolicyLevel = Schemas['PolicyLevel'];
export type Capped = Schemas['CappedCount'];
export type Capability = Schemas['AppPortalCapability'];
