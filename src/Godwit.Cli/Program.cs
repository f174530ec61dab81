if (args is ["__engine-host", .. var hostArgs])
{
    return Godwit.Engine.EngineHost.Run(hostArgs);
}

return 0;
