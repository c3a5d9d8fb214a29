"""Small applications of every version, to be mutated: between them they use the whole format."""

from __future__ import annotations

V2 = b"""<?xml version="1.0"?>
<Graphs xmlns="https://poets-project.org/schemas/virtual-graph-schema-v2" formatMinorVersion="1">
 <GraphType id="ring">
  <Types><TypeDef id="point"><Tuple name="_"><Scalar name="x" type="int16_t"/>
   <Scalar name="y" type="int16_t" default="-3"/></Tuple></TypeDef></Types>
  <Properties><Scalar name="laps" type="uint32_t" default="5"/></Properties>
  <MetaData>&quot;native_dimension&quot;:2</MetaData>
  <SharedCode><![CDATA[ static int twice(int v) { return 2 * v; } ]]></SharedCode>
  <MessageTypes><MessageType id="__init__"/><MessageType id="token">
   <Message><Scalar name="value" type="uint32_t"/></Message></MessageType></MessageTypes>
  <DeviceTypes><DeviceType id="node">
   <Properties><Scalar name="id" type="uint32_t"/><Scalar name="at" type="point"/></Properties>
   <State><Scalar name="counter" type="uint32_t"/><Scalar name="rts" type="uint32_t"/></State>
   <ReadyToSend><![CDATA[ rts = deviceState->rts; ]]></ReadyToSend>
   <InputPin name="__init__" messageTypeId="__init__"><OnReceive><![CDATA[
     deviceState->rts = deviceProperties->id == 0; ]]></OnReceive></InputPin>
   <InputPin name="in" messageTypeId="token"><OnReceive><![CDATA[
     deviceState->counter += twice(1); deviceState->rts = 1;
     if (deviceState->counter >= graphProperties->laps) handler_exit(0); ]]></OnReceive></InputPin>
   <OutputPin name="out" messageTypeId="token" application="false"><OnSend><![CDATA[
     deviceState->rts = 0; message->value = deviceState->counter; ]]></OnSend></OutputPin>
  </DeviceType></DeviceTypes>
 </GraphType>
 <GraphInstance id="ring3" graphTypeId="ring"><Properties>"laps":4</Properties>
  <DeviceInstances sorted="1"><DevI id="n0" type="node"><P>"id":0,"at":{"x":4}</P></DevI>
   <DevI id="n1" type="node"><P> "id" : 1 </P></DevI></DeviceInstances>
  <EdgeInstances><EdgeI path="n1:in-n0:out"/><EdgeI path="n0:in-n1:out"/></EdgeInstances>
 </GraphInstance></Graphs>
"""

V3 = b"""<?xml version='1.0' encoding='UTF-8'?>
<Graphs xmlns="https://poets-project.org/schemas/virtual-graph-schema-v3">
 <GraphType id="sum">
  <Documentation>Adds up what the edges weigh.</Documentation>
  <Properties><Array name="scale" length="3" type="float"><Default>[1, 2.5, 1e-3]</Default></Array>
  </Properties>
  <MessageTypes><MessageType id="value"><Message><Scalar name="v" type="float"/>
    <Array name="trail" length="2"><Array name="_" length="2" type="uint8_t"/></Array></Message>
   </MessageType><MessageType id="done"/></MessageTypes>
  <DeviceTypes>
   <DeviceType id="source">
    <Properties><Scalar name="count" type="uint16_t" default="2"/></Properties>
    <State><Scalar name="sent" type="uint64_t"/></State>
    <OutputPin name="out" messageTypeId="value" indexed="true"><OnSend><![CDATA[
      *sendIndex = deviceState->sent % 2; deviceState->sent++; message->v = 1.5f; ]]></OnSend>
    </OutputPin>
    <ReadyToSend><![CDATA[ *readyToSend = deviceState->sent < deviceProperties->count
      ? RTS_FLAG_out : 0; ]]></ReadyToSend></DeviceType>
   <DeviceType id="sink"><State><Scalar name="sum" type="double"/><Tuple name="last">
     <Scalar name="v" type="float"/><Scalar name="n" type="int8_t"/></Tuple></State>
    <InputPin name="in" messageTypeId="value">
     <Properties><Scalar name="w" type="float" default="1"/></Properties>
     <State><Scalar name="seen" type="uint32_t"/></State>
     <OnReceive><![CDATA[ deviceState->sum += edgeProperties->w * message->v; edgeState->seen++;
       handler_log(2, "sum %f", deviceState->sum); ]]></OnReceive></InputPin>
    <ReadyToSend/>
    <OnHardwareIdle><![CDATA[ if (deviceState->sum > 0) { handler_exit(0); } ]]></OnHardwareIdle>
   </DeviceType>
  </DeviceTypes>
 </GraphType>
 <GraphInstance id="sum2" graphTypeId="sum">
  <DeviceInstances><DevI id="a" type="source"><P>"count":4</P><M>"loc":[1,2]</M></DevI>
   <DevI id="b" type="sink"><S>"sum":-0.5,"last":{"n":-1}</S></DevI><DevI id="c" type="sink"/>
  </DeviceInstances>
  <EdgeInstances><EdgeI path="b:in-a:out" sendIndex="1"><P>"w":0.25</P></EdgeI>
   <EdgeI path="c:in-a:out" sendIndex="0"><S>"seen":3</S></EdgeI></EdgeInstances>
 </GraphInstance></Graphs>
"""

V4 = b"""<?xml version="1.0"?>
<Graphs xmlns="https://poets-project.org/schemas/virtual-graph-schema-v4" formatMinorVersion="0">
 <GraphType id="relay">
  <Properties><![CDATA[ uint8_t rounds; struct { float low; float high; } range; ]]></Properties>
  <Metadata key="author" value="us"/>
  <SharedCode><![CDATA[ #include <cmath> ]]></SharedCode>
  <MessageTypes><MessageType id="up"><Message><![CDATA[ uint32_t v; ]]></Message></MessageType>
   <MessageType id="down"><Message>uint32_t v; // back</Message></MessageType></MessageTypes>
  <DeviceTypes>
   <DeviceType id="leaf"><Properties>int32_t id[2];</Properties>
    <State>uint32_t sent; uint32_t got;</State>
    <SharedCode/>
    <InputPin name="in" messageTypeId="down"><Properties>int16_t w;</Properties><State/>
     <OnReceive><![CDATA[ deviceState->got += edgeProperties->w; ]]></OnReceive></InputPin>
    <SupervisorInPin messageTypeId="down"><OnReceive><![CDATA[ deviceState->got += message->v; ]]>
    </OnReceive></SupervisorInPin>
    <OutputPin name="out" messageTypeId="down" indexed="false"><OnSend><![CDATA[ *doSend = 0;
      deviceState->sent |= 2; ]]></OnSend></OutputPin>
    <SupervisorOutPin messageTypeId="up"><OnSend><![CDATA[
      deviceState->sent |= 1; message->v = 3; ]]>
    </OnSend></SupervisorOutPin>
    <ReadyToSend><![CDATA[ if (!(DEVICESTATE(sent) & 1)) RTSSUP();
      else if (!(DEVICESTATE(sent) & 2)) RTS(out); ]]></ReadyToSend>
    <OnInit/><OnHardwareIdle/><OnDeviceIdle/>
   </DeviceType>
   <SupervisorType id=""><State>int seen = 0;</State>
    <SupervisorInPin id="" messageTypeId="up"><OnReceive><![CDATA[ SUPSTATE(seen)++; REPLY(v) = 7;
      RTSREPLY(); if (SUPSTATE(seen) == 2) Super::stop_application(); ]]></OnReceive>
    </SupervisorInPin></SupervisorType>
  </DeviceTypes>
 </GraphType>
 <GraphInstance id="relay2" graphTypeId="relay" P="{3,{-1.5,2e3}}">
  <DeviceInstances><DevI id="l0" type="leaf" P="{{1,2}}"/>
   <DevI id="l1" type="leaf" P="{{3,-4}}" S="{0,1u}"/>
  </DeviceInstances>
  <EdgeInstances><EdgeI path="l1:in-l0:out" P="{9}"/><EdgeI path="l0:in-l1:out"/></EdgeInstances>
 </GraphInstance></Graphs>
"""

ORCHESTRATOR = b"""<?xml version="1.0"?>
<Graphs xmlns="" appname="blink">
 <GraphType id="blink">
  <Properties>uint32_t limit = 3;</Properties>
  <SharedCode><![CDATA[ #define WIDE ]]></SharedCode>
  <MessageTypes><MessageType id="tick"><Message>
#ifdef WIDE
   uint32_t step;
#else
   uint8_t step;
#endif
  </Message></MessageType></MessageTypes>
  <DeviceTypes><DeviceType id="lamp">
   <Properties>uint8_t first; double weight = 0.5;</Properties>
   <State><![CDATA[ bool lit = false; uint32_t step = 0; ]]></State>
   <InputPin name="in" messageTypeId="tick"><OnReceive><![CDATA[ DEVICESTATE(lit) = true;
     DEVICESTATE(step) = MSG(step) + 1;
     if (DEVICESTATE(step) > GRAPHPROPERTIES(limit)) handler_exit(0);
   ]]></OnReceive></InputPin>
   <OutputPin name="out" messageTypeId="tick"><OnSend><![CDATA[ DEVICESTATE(lit) = false;
     MSG(step) = DEVICESTATE(step); ]]></OnSend></OutputPin>
   <ReadyToSend><![CDATA[ if (DEVICESTATE(lit)) RTS(out); ]]></ReadyToSend>
   <OnInit><![CDATA[ DEVICESTATE(lit) = DEVICEPROPERTIES(first); return 1; ]]></OnInit>
   <OnDeviceIdle>return 0;</OnDeviceIdle>
  </DeviceType></DeviceTypes>
 </GraphType>
 <GraphInstance id="blink2" graphTypeId="blink">
  <DeviceInstances><DevI id="0" type="lamp" P="1"/>
   <DevI id="1" type="lamp" P="{0, 2.5f}"/></DeviceInstances>
  <EdgeInstances><EdgeI path="1:in-0:out"/><EdgeI path="0:in-1:out"/></EdgeInstances>
 </GraphInstance></Graphs>
"""

SEEDS = [V2, V3, V4, ORCHESTRATOR]
