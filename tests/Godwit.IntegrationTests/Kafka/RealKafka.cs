using Godwit.Fixtures;
using Xunit;

[assembly: AssemblyFixture(typeof(Godwit.IntegrationTests.Kafka.RealKafka))]

namespace Godwit.IntegrationTests.Kafka;

/// <summary>The broker that all tests share which do not kill theirs; each makes a topic of its own. It starts with the first test that asks for it.</summary>
public sealed class RealKafka : IAsyncLifetime
{
    private readonly Lazy<Task<KafkaFixture>> _broker = new(KafkaFixture.StartAsync);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>The broker.</summary>
    public Task<KafkaFixture> BrokerAsync() => _broker.Value;

    public async ValueTask DisposeAsync()
    {
        if (_broker.IsValueCreated)
        {
            await (await _broker.Value).DisposeAsync();
        }
    }
}
