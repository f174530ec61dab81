namespace Godwit.Engine;

/// <summary>The engine could not be fetched or started; the message is one sentence that says why, for a person.</summary>
public sealed class EngineStartException : Exception
{
    /// <summary>For serializers and tools; use the constructor with a sentence.</summary>
    public EngineStartException()
        : this("The ClickHouse engine did not start.")
    {
    }

    /// <summary>Says why.</summary>
    public EngineStartException(string message)
        : base(message)
    {
    }

    /// <summary>Says why, with the failure behind it.</summary>
    public EngineStartException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
