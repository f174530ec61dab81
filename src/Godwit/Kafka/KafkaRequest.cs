namespace Godwit.Kafka;

/// <summary>The requests of the protocol that Godwit knows by number. https://kafka.apache.org/protocol#protocol_api_keys</summary>
internal enum KafkaRequest : short
{
    Produce = 0,
    Fetch = 1,
    ListOffsets = 2,
    Metadata = 3,
    OffsetCommit = 8,
    OffsetFetch = 9,
    FindCoordinator = 10,
    JoinGroup = 11,
    ListGroups = 16,
    ApiVersions = 18,
    AddPartitionsToTransaction = 24,
    DescribeAcls = 29,
    DescribeConfigs = 32,
}
